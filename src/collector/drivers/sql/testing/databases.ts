import { mkdtempSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { suiteMariadb } from '../../../../../test/support/mariadb-suite.ts';
import { suitePostgres } from '../../../../../test/support/postgres-suite.ts';

/** Creates a database with a script, and returns its DSN. */
interface TestDatabases {
  create(script: string): Promise<string>;
}

/** Real databases of all three kinds, for the tests of one file. */
export function suiteDatabases(): Readonly<Record<'PostgreSQL' | 'MariaDB' | 'SQLite', TestDatabases>> {
  const postgres = suitePostgres();
  const mariadb = suiteMariadb();
  return {
    PostgreSQL: { create: async (script) => postgres.server.dsn(await postgres.server.createDatabase(script)) },
    MariaDB: { create: async (script) => mariadb.server.dsn(await mariadb.server.createDatabase(script)) },
    SQLite: suiteSqlite(),
  };
}

/** SQLite files in a folder of their own, for the tests of one file. */
export function suiteSqlite(): TestDatabases {
  const directory = mkdtempSync(join(tmpdir(), 'tonnage-sql-'));
  let files = 0;
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return {
    create(script) {
      const file = join(directory, `${++files}.sqlite`);
      const database = new DatabaseSync(file);
      database.exec(script);
      database.close();
      return Promise.resolve(`sqlite:${file}`);
    },
  };
}
