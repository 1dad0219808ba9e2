import { Client } from 'pg';
import type { SuitePostgres } from '../../../../../test/support/postgres-suite.ts';
import { slowReadMs, type BreakableSource } from '../../../testing/breakable.ts';

/** A database of a real server that a test breaks: other sessions lock and rename its tables, and the server stops. */
export function breakablePostgres(postgres: SuitePostgres, database: () => string): BreakableSource {
  let locking: Client | undefined;
  let isRenamed = false;
  let isStopped = false;
  const unlock = async () => {
    const session = locking;
    locking = undefined;
    await session?.end();
  };
  const lock = async () => {
    locking = new Client(postgres.server.dsn(database()));
    // The server may end the session first.
    locking.on('error', () => undefined);
    await locking.connect();
    await locking.query('BEGIN; LOCK TABLE db_filestore IN ACCESS EXCLUSIVE MODE');
  };
  return {
    refused: 'unreachable',
    truncated: 'invalid',
    hang: lock,
    async refuse() {
      isStopped = true;
      await postgres.server.stop();
    },
    async truncate() {
      isRenamed = true;
      await postgres.server.sql(database(), 'ALTER TABLE db_filestore RENAME TO db_hidden');
    },
    async slow() {
      await lock();
      setTimeout(() => void unlock(), slowReadMs * 2);
    },
    async restore() {
      if (isStopped) await postgres.server.restart();
      isStopped = false;
      await unlock();
      if (isRenamed) await postgres.server.sql(database(), 'ALTER TABLE db_hidden RENAME TO db_filestore');
      isRenamed = false;
    },
    async restart() {
      await postgres.server.stop();
      await postgres.server.restart();
    },
    async activeReads() {
      const count = `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tonnage' AND state <> 'idle'`;
      return Number(await postgres.server.sql('postgres', count));
    },
  };
}
