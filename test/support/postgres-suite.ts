import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { startPostgres, type PostgresOptions, type PostgresServer } from './postgres.ts';

/** A PostgreSQL for the tests of one file. */
export interface SuitePostgres {
  /** Set from the first hook or test on. */
  readonly server: PostgresServer;
}

/** Starts a PostgreSQL before the first test of the file that calls this, and ends it after the last one. */
export function suitePostgres(options: PostgresOptions = {}): SuitePostgres {
  const directory = mkdtempSync(join(tmpdir(), 'tonnage-postgres-'));
  let started: PostgresServer | undefined;
  beforeAll(async () => {
    started = await startPostgres(directory, options);
  });
  afterAll(async () => {
    await started?.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    get server() {
      if (!started) throw new Error('a hook starts the PostgreSQL of the tests: use it in hooks and tests only');
      return started;
    },
  };
}
