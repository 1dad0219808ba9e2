import { createServer, type Server } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { suitePostgres } from '../../../../test/support/postgres-suite.ts';
import type { SourceError } from '../../source-error.ts';
import type { Query, Row } from './family.ts';
import { Session } from './session.ts';

const postgres = suitePostgres();
const sessions: Session[] = [];
const servers: Server[] = [];
const directory = mkdtempSync(join(tmpdir(), 'tonnage-session-'));
let database = '';

beforeAll(async () => {
  database = await postgres.server.createDatabase(`
    CREATE TABLE db_scope (id bigint, name text);
    INSERT INTO db_scope VALUES (1, 'debusine');
    CREATE TABLE db_token (id bigint, hash text);
    CREATE ROLE reader LOGIN;
    GRANT SELECT ON db_scope TO reader`);
});
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
  for (const server of servers.splice(0)) server.close();
});
afterAll(() => rmSync(directory, { recursive: true }));

function open(dsn: string): Session {
  const session = new Session({ reveal: () => dsn });
  sessions.push(session);
  return session;
}

const scopes: Query = { reads: { db_scope: ['id', 'name'] }, sql: 'SELECT id, name FROM db_scope' };
const pid: Query = { reads: {}, sql: 'SELECT pg_backend_pid()' };
const sleep: Query = { reads: { db_scope: ['id'] }, sql: 'SELECT pg_sleep(60)' };

/** The rows of one query. */
async function read(session: Session, query: Query, options: { timeoutMs?: number; signal?: AbortSignal } = {}) {
  const { timeoutMs = 20_000, signal = new AbortController().signal } = options;
  let rows: readonly Row[] = [];
  const begin = () => ({ add: (_: Query, found: readonly Row[]) => (rows = found) });
  await session.read({ queries: [query], now: '2026-01-15T12:00:00.000Z', timeoutMs, signal, begin });
  return rows;
}

async function failure(session: Session, query: Query, options?: Parameters<typeof read>[2]): Promise<string> {
  const thrown = await read(session, query, options).then(
    () => new Error('the read succeeded'),
    (error: unknown) => error as SourceError,
  );
  return 'errorClass' in thrown ? `${thrown.errorClass}: ${thrown.message}` : String(thrown);
}

const own = (where: string) =>
  postgres.server.sql('postgres', `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tonnage' ${where}`);

describe('a session', () => {
  it('returns the text of each value', async () => {
    expect(await read(open(postgres.server.dsn(database)), scopes)).toEqual([['1', 'debusine']]);
  });

  it('reads the schema of the grants, whatever the search_path of the role', async () => {
    await postgres.server.sql(database, 'CREATE ROLE elsewhere LOGIN; GRANT SELECT ON db_scope TO elsewhere');
    await postgres.server.sql(database, `ALTER ROLE elsewhere SET search_path = elsewhere`);
    expect(await read(open(postgres.server.dsn(database, 'elsewhere')), scopes)).toEqual([['1', 'debusine']]);
  });

  it('keeps one connection between reads, without a transaction and without its settings', async () => {
    const session = open(postgres.server.dsn(database));
    const [first, second] = [await read(session, pid), await read(session, pid)];
    expect(second).toEqual(first);
    expect(await own('')).toBe('1');
    expect(await own("AND state = 'idle' AND xact_start IS NULL")).toBe('1');
    expect(await own("AND state <> 'idle'")).toBe('0');
  });

  it('reads one snapshot and changes nothing', async () => {
    const session = open(postgres.server.dsn(database));
    const write: Query = { reads: { db_scope: ['id'] }, sql: 'DELETE FROM db_scope' };
    expect(await failure(session, write)).toBe('failed: the database answered with the error 25006 (db_scope)');
    const level: Query = { reads: {}, sql: 'SHOW transaction_isolation' };
    expect(await read(session, level)).toEqual([['repeatable read']]);
  });

  it('replaces an idle connection that the server has ended, at the next read or within it', async () => {
    const session = open(postgres.server.dsn(database));
    for (const pause of [0, 100]) {
      const before = (await read(session, pid))[0]?.[0];
      await postgres.server.sql('postgres', `SELECT pg_terminate_backend(${before})`);
      await new Promise((resolve) => setTimeout(resolve, pause));
      expect((await read(session, pid))[0]?.[0]).not.toBe(before);
    }
  });

  it('does not repeat a query that failed', async () => {
    const session = open(postgres.server.dsn(database));
    await read(session, scopes);
    let reads = 0;
    const begin = () => ({ add: () => undefined, number: ++reads });
    const { signal } = new AbortController();
    const outcome = session.read({ queries: [sleep], now: '', timeoutMs: 100, signal, begin });
    await expect(outcome).rejects.toMatchObject({ errorClass: 'timeout' });
    expect(reads).toBe(1);
    expect(await own('')).toBe('0');
  });

  it('opens no connection after its end', async () => {
    const session = open(postgres.server.dsn(database));
    const outcome = failure(session, scopes);
    await session.close();
    expect(await outcome).toBe('failed: the source was closed');
    expect(await own('')).toBe('0');
  });

  it('cuts the connection of an aborted read, and the server then ends its query', async () => {
    const session = open(postgres.server.dsn(database));
    const controller = new AbortController();
    const outcome = failure(session, sleep, { timeoutMs: 60_000, signal: controller.signal });
    await vi.waitFor(async () => expect(await own("AND state = 'active'")).toBe('1'), 20_000);
    controller.abort(new Error('of the test'));
    expect(await outcome).toContain('failed: reading the database failed');
    await vi.waitFor(async () => expect(await own('')).toBe('0'), 20_000);
    expect(await read(session, scopes)).toHaveLength(1);
  });

  it('does not wait for a server that does not answer, neither at the start nor at the end', async () => {
    const silent = createServer((socket) => socket.on('error', () => undefined)).listen(
      join(directory, '.s.PGSQL.5432'),
    );
    servers.push(silent);
    const session = open(`postgresql://reader@/x?host=${directory}`);
    const controller = new AbortController();
    const outcome = failure(session, scopes, { signal: controller.signal });
    controller.abort(new Error('of the test'));
    await outcome;
    await session.close();
  });
});

describe('the class and the message of an error', () => {
  it('are those of a query, with the tables and columns of the schema only', async () => {
    const session = open(postgres.server.dsn(database, 'reader'));
    const noTable: Query = {
      reads: { db_gone: ['id'], db_scope: ['id'] },
      sql: 'SELECT id FROM db_scope JOIN db_gone USING (id)',
    };
    const noColumn: Query = { reads: { db_scope: ['id', 'label'] }, sql: 'SELECT db_scope.label FROM db_scope' };
    const noRight: Query = { reads: { db_token: ['hash'] }, sql: 'SELECT hash FROM db_token' };
    expect(await failure(session, noTable)).toBe('invalid: the database has no table (db_gone)');
    expect(await failure(session, noColumn)).toBe('invalid: the database has no column (db_scope.label)');
    expect(await failure(session, noRight)).toBe('denied: the role may not read (db_token)');
    expect(await failure(session, sleep, { timeoutMs: 50 })).toBe(
      'timeout: the query took longer than its statement timeout (db_scope)',
    );
  });

  it('say that another session holds a lock', async () => {
    const session = open(postgres.server.dsn(database));
    const locked = postgres.server.sql(database, 'BEGIN; LOCK TABLE db_token; SELECT pg_sleep(2); COMMIT');
    await vi.waitFor(
      async () =>
        expect(
          await postgres.server.sql(database, `SELECT count(*) FROM pg_locks WHERE relation = 'db_token'::regclass`),
        ).toBe('1'),
      20_000,
    );
    const tokens: Query = { reads: { db_token: ['id'] }, sql: 'SELECT id FROM db_token' };
    expect(await failure(session, tokens, { timeoutMs: 200 })).toBe(
      'timeout: another session of the database holds a lock (db_token)',
    );
    await locked;
  });

  it.each([
    [
      'a role that does not exist',
      () => postgres.server.dsn(database, 'nobody'),
      'denied: the database rejected the role or its password',
    ],
    [
      'a database that does not exist',
      () => postgres.server.dsn('gone'),
      'failed: expected an existing database, got the name of none',
    ],
    [
      'a port without a server',
      () => 'postgresql://reader@127.0.0.1:1/x',
      'unreachable: the database refused the connection',
    ],
    [
      'a socket that does not exist',
      () => 'postgresql://reader@/x?host=/nowhere',
      'unreachable: the socket of the database does not exist',
    ],
    [
      'TLS that the server lacks',
      () => `${postgres.server.dsn(database)}?sslmode=verify-full`,
      'unreachable: the database accepts no TLS',
    ],
    [
      'a certificate that cannot be read',
      () => `${postgres.server.dsn(database)}?sslrootcert=/nowhere.pem`,
      'failed: expected a usable DSN, got ENOENT',
    ],
  ])('are those of a connection, with %s', async (_, dsn, expected) => {
    expect(await failure(open(dsn()), scopes)).toBe(expected);
  });
});
