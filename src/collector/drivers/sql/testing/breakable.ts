import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import type { SuiteMariadb } from '../../../../../test/support/mariadb-suite.ts';
import type { SuitePostgres } from '../../../../../test/support/postgres-suite.ts';
import { slowReadMs, type BreakableSource } from '../../../testing/breakable.ts';

/** How a test works on a database whose table `orders` the source reads. */
interface Controls {
  /** Locks the table, so that a read waits, and returns what unlocks it. */
  readonly lock: () => Promise<() => Promise<void>>;
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly rename: (from: string, to: string) => Promise<void>;
  readonly activeReads: () => Promise<number> | number;
}

/** A database of a real server that a test breaks: other sessions lock and rename its table, and the server stops. */
function breakable({ lock, stop, start, rename, activeReads }: Controls): BreakableSource {
  let release: (() => Promise<void>) | undefined;
  let isRenamed = false;
  let isStopped = false;
  const unlock = async () => {
    const held = release;
    release = undefined;
    await held?.();
  };
  const hang = async () => {
    release = await lock();
  };
  return {
    refused: 'unreachable',
    truncated: 'invalid',
    hang,
    async refuse() {
      isStopped = true;
      await stop();
    },
    async truncate() {
      isRenamed = true;
      await rename('orders', 'hidden');
    },
    async slow() {
      await hang();
      setTimeout(() => void unlock(), slowReadMs * 2);
    },
    async restore() {
      if (isStopped) await start();
      isStopped = false;
      await unlock();
      if (isRenamed) await rename('hidden', 'orders');
      isRenamed = false;
    },
    async restart() {
      // The session that holds the lock ends with the server.
      await unlock();
      await stop();
      await start();
    },
    activeReads,
  };
}

export function breakablePostgres(postgres: SuitePostgres, database: () => string): BreakableSource {
  return breakable({
    async lock() {
      const session = new Client(postgres.server.dsn(database()));
      session.on('error', () => undefined);
      await session.connect();
      await session.query('BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
      return () => session.end();
    },
    stop: () => postgres.server.stop(),
    start: () => postgres.server.restart(),
    async rename(from, to) {
      await postgres.server.sql(database(), `ALTER TABLE ${from} RENAME TO ${to}`);
    },
    async activeReads() {
      const count = `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tonnage' AND state <> 'idle'`;
      return Number(await postgres.server.sql('postgres', count));
    },
  });
}

export function breakableMariadb(mariadb: SuiteMariadb, database: () => string): BreakableSource {
  return breakable({
    async lock() {
      const session = await createConnection(mariadb.server.dsn(database()).replace('mariadb:', 'mysql:'));
      session.on('error', () => undefined);
      await session.query('LOCK TABLES orders WRITE');
      return () => session.end();
    },
    stop: () => mariadb.server.stop(),
    start: () => mariadb.server.restart(),
    async rename(from, to) {
      await mariadb.server.sql(database(), `RENAME TABLE ${from} TO ${to}`);
    },
    async activeReads() {
      const count = `SELECT count(*) FROM information_schema.processlist WHERE user = 'tonnage' AND info LIKE 'SELECT * FROM%'`;
      return Number(await mariadb.server.sql('mysql', count));
    },
  });
}

/** A SQLite file: another connection locks it, and it moves away. */
export function breakableSqlite(file: () => string): BreakableSource {
  const change = (script: string) => {
    const database = new DatabaseSync(file(), { timeout: 5_000 });
    database.exec(script);
    return database;
  };
  return breakable({
    lock() {
      const database = change('BEGIN EXCLUSIVE');
      return Promise.resolve(() => Promise.resolve(database.close()));
    },
    stop: () => Promise.resolve(renameSync(file(), `${file()}.away`)),
    start: () => Promise.resolve(renameSync(`${file()}.away`, file())),
    rename: (from, to) => Promise.resolve(change(`ALTER TABLE ${from} RENAME TO ${to}`).close()),
    activeReads: () => sqliteProcesses().length,
  });
}

/** The processes that read SQLite files for this one (Linux). */
function sqliteProcesses(): readonly string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const parent = /\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1];
      return Number(parent) === process.pid && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('sqlite-process');
    } catch {
      // It ended meanwhile.
      return false;
    }
  });
}
