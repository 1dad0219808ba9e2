import fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { suitePostgres } from '../../../../../test/support/postgres-suite.ts';
import { sleep } from '../../../../../test/support/program.ts';
import { changeSummary } from '../maintenance.ts';
import { debusineSample, debusineSchema } from '../testing/database.ts';
import { compactAtCommit, concurrentTransaction } from '../testing/summary-changes.ts';
import { expectExact } from '../testing/summary-exact.ts';
import { installSteps } from './script.ts';

const postgres = suitePostgres();
const clients: Client[] = [];
afterAll(async () => {
  for (const client of clients) await client.end();
});

async function connect(database: string, role?: string): Promise<Client> {
  const client = new Client(postgres.server.dsn(database, role));
  client.on('error', () => undefined);
  clients.push(client);
  await client.connect();
  return client;
}

const installing = { remove: false, signal: new AbortController().signal };

/** The triggers of every statement ask for a compaction. */
const eager = installSteps.map((step) => step.replaceAll('/ 1000.0', '/ 1.0'));
const sampleDatabase = (...scripts: readonly string[]) =>
  postgres.server.createDatabase(debusineSchema, debusineSample, ...scripts);

const failureOf = (database: string) => postgres.server.sql(database, 'SELECT failure FROM tonnage.summary_state');

/** Waits until a session waits for a lock. */
async function untilBlocked(client: Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query('SELECT FROM pg_locks WHERE NOT granted');
    if (rows.length > 0) return;
    await sleep(10);
  }
}

describe('the summary of tables that belong to a role without other rights', () => {
  let database = '';
  beforeAll(async () => {
    await postgres.server.sql('postgres', 'CREATE ROLE debusine LOGIN; CREATE ROLE writer LOGIN');
    const tables = ['db_fileinartifact', 'db_artifact', 'db_file'];
    database = await sampleDatabase(
      ...tables.map(
        (table) => `
        ALTER TABLE ${table} OWNER TO debusine;
        GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ${table} TO writer;`,
      ),
      // Objects with names that the functions of the summary use.
      `CREATE SCHEMA hostile AUTHORIZATION writer;
      CREATE TABLE hostile.new_rows (id bigint);
      CREATE FUNCTION hostile.random() RETURNS float LANGUAGE plpgsql AS $$ BEGIN RAISE 'hostile'; END $$;
      CREATE FUNCTION hostile.sum(integer) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE 'hostile'; END $$;
      ALTER ROLE writer SET search_path = hostile, pg_catalog;`,
      ...eager,
    );
  });

  it('belongs to that role, although a superuser has installed it', async () => {
    const owners = `
      SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'tonnage'::regnamespace
      UNION SELECT pg_get_userbyid(proowner) FROM pg_proc WHERE pronamespace = 'tonnage'::regnamespace
      UNION SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'tonnage'`;
    expect(await postgres.server.sql(database, owners)).toBe('debusine');
  });

  it('is exact after changes by a role that may not read it and has another search_path', async () => {
    const script = `
      COPY public.db_file (id, size) FROM stdin;
101\t5000
102\t1
\\.
      INSERT INTO public.db_artifact VALUES (101, 'site:copied', 2);
      INSERT INTO public.db_fileinartifact VALUES (101, 101, 101), (102, 101, 102), (103, 2, 101);
      UPDATE public.db_file SET size = 6000 WHERE id = 101;
      MERGE INTO public.db_artifact AS a USING (VALUES (101), (102)) AS v (id) ON a.id = v.id
        WHEN MATCHED THEN UPDATE SET workspace_id = 4
        WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'site:merged', 1);
      DELETE FROM public.db_fileinartifact WHERE id = 1;`;
    await postgres.server.sql(database, script, 'writer');
    const reading = postgres.server.sql(database, 'SELECT FROM tonnage.artifact_file_sizes', 'writer');
    await expect(reading).rejects.toThrow(/permission denied for schema tonnage/);
    await expectExact(await connect(database));
    await postgres.server.sql(database, 'TRUNCATE public.db_fileinartifact', 'writer');
    await expectExact(await connect(database));
  });
});

describe('a statement that changes several tables', () => {
  const cascade = `
    DELETE FROM db_fileinartifact WHERE artifact_id NOT IN (SELECT id FROM db_artifact);
    ALTER TABLE db_fileinartifact ADD FOREIGN KEY (artifact_id) REFERENCES db_artifact ON DELETE CASCADE,
      ADD FOREIGN KEY (file_id) REFERENCES db_file ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;`;

  it.each([
    ['a cascade', cascade, 'DELETE FROM db_artifact WHERE id IN (1, 4)'],
    ['two cascades', cascade, 'DELETE FROM db_artifact WHERE id = 1; DELETE FROM db_file WHERE id IN (3, 4)'],
    [
      'a common table expression',
      '',
      'WITH gone AS (DELETE FROM db_fileinartifact WHERE artifact_id = 1) DELETE FROM db_artifact WHERE id = 1',
    ],
  ])('leaves the summary exact, even if constraints are checked at once: %s', async (_, schema, statements) => {
    const client = await connect(await sampleDatabase(schema, ...eager));
    await client.query(`BEGIN; SET CONSTRAINTS ALL IMMEDIATE; ${statements}; COMMIT`);
    await expectExact(client);
    await client.query(compactAtCommit);
    await expectExact(client);
  });
});

describe('what the summary does not know', () => {
  it('never makes a statement fail: the summary says that it is wrong until it is installed again', async () => {
    const database = await sampleDatabase(...eager);
    await postgres.server.sql(database, 'ALTER TABLE db_artifact ALTER COLUMN category TYPE text');
    expect(await failureOf(database)).toBe('');

    await postgres.server.sql(
      database,
      `ALTER TABLE db_file RENAME COLUMN size TO bytes;
      INSERT INTO db_file VALUES (201, 77); INSERT INTO db_fileinartifact VALUES (201, 1, 201);
      DELETE FROM db_artifact WHERE id = 2;`,
    );
    expect(await failureOf(database)).toBe('db_file: column "size" does not exist');
    expect(await postgres.server.sql(database, 'SELECT bytes FROM db_file WHERE id = 201')).toBe('77');

    await postgres.server.sql(database, 'ALTER TABLE db_file RENAME COLUMN bytes TO size');
    await changeSummary(postgres.server.dsn(database), installing);
    await expectExact(await connect(database));
  });

  it('includes a TRUNCATE whose snapshot is old', async () => {
    const database = await sampleDatabase(...installSteps);
    await postgres.server.sql(database, 'BEGIN ISOLATION LEVEL REPEATABLE READ; TRUNCATE db_file; COMMIT');
    expect(await failureOf(database)).toBe('db_file: TRUNCATE at the isolation level repeatable read');
    await changeSummary(postgres.server.dsn(database), installing);
    await expectExact(await connect(database));
  });
});

describe('locks', () => {
  it('never make a commit wait: compaction leaves its work to a later transaction', async () => {
    const database = await sampleDatabase(...installSteps);
    const [holder, writer] = [await connect(database), await connect(database)];
    await holder.query('BEGIN; LOCK TABLE db_file IN ACCESS EXCLUSIVE MODE');
    await writer.query(
      `SET lock_timeout = '1ms'; INSERT INTO db_fileinartifact VALUES (301, 1, 1); ${compactAtCommit}`,
    );
    await holder.query('COMMIT');
    const waiting = () => postgres.server.sql(database, 'SELECT count(*) FROM tonnage.file_in_artifact_change');
    expect(await waiting()).toBe('1');
    await expectExact(writer);
    await writer.query(compactAtCommit);
    expect(await waiting()).toBe('0');
    await expectExact(writer);
  });

  it('never end in a deadlock with a transaction of Debusine: the installation gives way', async () => {
    const database = await sampleDatabase();
    const [writer, observer] = [await connect(database), await connect(database)];
    await writer.query('BEGIN; INSERT INTO db_file VALUES (401, 5)');
    const installed = changeSummary(postgres.server.dsn(database), installing);
    await untilBlocked(observer);
    // The installation holds a lock on this table, and waits for the one above.
    await writer.query('INSERT INTO db_fileinartifact VALUES (401, 1, 401); COMMIT');
    await installed;
    await expectExact(observer);
  });

  it('let the summary be installed while several clients write', async () => {
    const database = await sampleDatabase();
    let running = true;
    const writers = [1, 2, 3].map(async (seed) => {
      const client = await connect(database);
      const transactions = fc.sample(concurrentTransaction, { numRuns: 500, seed });
      let count = 0;
      for (; running; count += 1) {
        const statements = transactions[count % transactions.length]?.statements ?? [];
        const changes = statements.filter((statement) => statement !== compactAtCommit);
        await client.query(`BEGIN; ${changes.join('; ')}; COMMIT`);
      }
      return count;
    });
    const installations = async () => {
      for (let count = 0; count < 5; count += 1) await changeSummary(postgres.server.dsn(database), installing);
    };
    const [, ...counts] = await Promise.all([installations().finally(() => (running = false)), ...writers]);
    for (const count of counts) expect(count).toBeGreaterThan(5);
    await expectExact(await connect(database));
  });
});
