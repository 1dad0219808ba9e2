import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { startMariadb, type MariadbServer } from './mariadb.ts';

/** A MariaDB for the tests of one file. */
export interface SuiteMariadb {
  /** Set from the first hook or test on. */
  readonly server: MariadbServer;
}

/** Starts a MariaDB before the first test of the file that calls this, and ends it after the last one. */
export function suiteMariadb(): SuiteMariadb {
  const directory = mkdtempSync(join(tmpdir(), 'tonnage-mariadb-'));
  let started: MariadbServer | undefined;
  beforeAll(async () => {
    started = await startMariadb(directory);
  });
  afterAll(async () => {
    await started?.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    get server() {
      if (!started) throw new Error('a hook starts the MariaDB of the tests: use it in hooks and tests only');
      return started;
    },
  };
}
