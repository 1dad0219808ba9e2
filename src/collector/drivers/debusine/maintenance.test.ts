import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { suitePostgres } from '../../../../test/support/postgres-suite.ts';
import { changeSummary, checkedDsn } from './maintenance.ts';
import { lockKey } from './summary/compaction.ts';
import { debusineSample, debusineSchema } from './testing/database.ts';

const postgres = suitePostgres();
const { signal } = new AbortController();

let database = '';
let dsn = '';
beforeEach(async () => {
  database = await postgres.server.createDatabase(debusineSchema, debusineSample);
  dsn = postgres.server.dsn(database);
});

/** What a database has of the summary: tables, views and triggers. */
const parts = async (): Promise<number> =>
  Number(
    await postgres.server.sql(
      database,
      `SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('tonnage'))
        + (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'tonnage%')`,
    ),
  );
const failure = () => postgres.server.sql(database, 'SELECT version, failure FROM tonnage.summary_state');

describe('two commands at once', () => {
  it('both install the summary', { timeout: 60_000 }, async () => {
    await Promise.all(Array.from({ length: 3 }, () => changeSummary(dsn, { remove: false, signal })));
    expect(await failure()).toBe('1|');
  });

  it('both remove it', { timeout: 60_000 }, async () => {
    await changeSummary(dsn, { remove: false, signal });
    await Promise.all(Array.from({ length: 3 }, () => changeSummary(dsn, { remove: true, signal })));
    expect(await parts()).toBe(0);
  });
});

describe('an interrupted installation', () => {
  let holder: Client;
  beforeEach(async () => {
    holder = new Client(dsn);
    await holder.connect();
  });
  afterEach(() => holder.end());

  /** Interrupts an installation between its first transaction and its last one. */
  async function interrupt(): Promise<void> {
    // The second step waits for this, the first one does not.
    await holder.query(`SELECT pg_advisory_lock(${lockKey})`);
    const aborting = new AbortController();
    const outcome = changeSummary(dsn, { remove: false, signal: aborting.signal }).catch((error: unknown) => error);
    await vi.waitFor(async () => expect(await isWaiting()).toBe(true), { timeout: 20_000, interval: 20 });
    aborting.abort();
    expect(String(await outcome)).toContain('the command was interrupted');
  }

  const isWaiting = async () =>
    (await postgres.server.sql(
      database,
      `SELECT count(*) > 0 FROM pg_stat_activity
        WHERE application_name = 'tonnage' AND wait_event_type = 'Lock' AND query LIKE 'SELECT pg_advisory_lock%'`,
    )) === 't';

  it('leaves nothing', { timeout: 60_000 }, async () => {
    await interrupt();
    expect(await parts()).toBe(0);
  });

  it('leaves a summary that was there', { timeout: 60_000 }, async () => {
    await changeSummary(dsn, { remove: false, signal });
    await interrupt();
    expect(await failure()).toBe('1|');
  });
});

describe('the URL of a file', () => {
  it.each([
    '',
    '\n',
    'host=db password=hunter2',
    'mysql://hunter2@db/d',
    'postgresql://a:hunter2@db/d\npostgresql://b',
  ])('is refused, and not shown: %j', (text) => {
    expect(() => checkedDsn(text)).toThrow(
      /^expected a URL such as [^\n]*, got something else \(not shown, since it is a secret\)$/,
    );
  });

  it('may end with a line break', () => {
    expect(checkedDsn('postgresql://db/d\r\n')).toBe('postgresql://db/d');
  });
});
