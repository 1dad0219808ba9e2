import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock, systemRandom } from '../base/index.ts';
import { scaled } from '../../test/support/long.ts';
import { storeConformance } from '../store/conformance.ts';
import type { Store } from '../store/index.ts';
import { ledgerApplicationId, ledgerMigrations } from './schema.ts';
import { openSqliteStore, openSqliteTotals } from './store.ts';

let directory: string;
let files = 0;
beforeAll(() => void (directory = mkdtempSync(join(tmpdir(), 'tonnage-store-'))));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const newFile = (): string => join(directory, `${++files}.sqlite`);
const openFile = (file: string, timeZone = 'UTC', acceptTimeZone = false) =>
  openSqliteStore({ file, timeZone, acceptTimeZone, clock: systemClock, random: systemRandom });

describe('the store contract', () => {
  const fixture = {
    async open() {
      const file = newFile();
      return { store: await openFile(file), reopen: () => openFile(file) };
    },
  };
  storeConformance(fixture, scaled(80, 3_000));
});

describe('a ledger of an earlier version', () => {
  test('is brought up to date with all that it has counted', async () => {
    const file = newFile();
    const old = new DatabaseSync(file);
    old.exec(ledgerMigrations.slice(0, 2).join(';'));
    old.exec(`
      pragma application_id = ${ledgerApplicationId}; pragma user_version = 2;
      insert into ledger values (1, 'the-ledger', 'UTC', 7, 0, x'${'ab'.repeat(32)}');
      insert into series (id, key, meter, org, arch, repository) values
        (1, '["pulls","a.org","amd64",null,"r",null,null,null,null]', 'pulls', 'a.org', 'amd64', 'r'),
        (2, '["pulls","a.org","amd64",null,null,null,null,null,null]', 'pulls', 'a.org', 'amd64', null);
      insert into detail_day values (20000, 1, 5);
      insert into account_day values (20000, 2, 5);
      insert into account_month values (19997, 2, 5);`);
    old.close();
    const store = await openFile(file);
    expect(store.journal.lastBatch).toBe(7);
    expect(await store.journal.accounts()).toEqual([
      { account: { meter: 'pulls', dimensions: { org: 'a.org', arch: 'amd64' } }, counted: 5n, voided: 0n },
    ]);
    const increments = [
      { meter: 'pulls', day: 20_000, quantity: 2n, dimensions: { org: 'a.org', arch: 'amd64', repository: 'r' } },
    ];
    await store.journal.commit({ number: 8, at: 0, increments });
    const query = { meter: 'pulls', allTime: true, window: 'total', where: {}, limit: 10, offset: 0 } as const;
    const answer = await store.totals.query({ ...query, by: ['repository'] }, 20_001);
    expect(answer).toMatchObject({ total: 7n, rows: [{ dimensions: { repository: 'r' }, value: 7n }] });
    await store.close();
  });
});

describe('the time zone', () => {
  const commitOne = async (store: Store): Promise<void> => {
    const increments = [{ meter: 'pulls', day: 20_000, quantity: 1n, dimensions: {} }];
    await store.journal.commit({ number: 1, at: 0, increments });
  };

  test('is kept in a ledger with counts; another one is refused unless it is accepted', async () => {
    const file = newFile();
    const store = await openFile(file, 'Europe/Berlin');
    await commitOne(store);
    await store.close();
    await expect(openFile(file, 'UTC')).rejects.toMatchObject({
      code: 'time_zone_changed',
      message: expect.stringMatching(/Europe\/Berlin.*UTC.*--accept-time-zone/),
    });
    await (await openFile(file, 'UTC', true)).close();
    await (await openFile(file, 'UTC')).close();
  });

  test('of a ledger without counts is the configured one', async () => {
    const file = newFile();
    await (await openFile(file, 'Europe/Berlin')).close();
    const store = await openFile(file, 'UTC');
    await commitOne(store);
    await store.close();
    await expect(openFile(file, 'Europe/Berlin')).rejects.toMatchObject({ code: 'time_zone_changed' });
    const totals = await openSqliteTotals(file);
    expect(totals.timeZone).toBe('UTC');
    await totals.close();
  });
});

describe('reading beside the process that writes', () => {
  test('sees what has been committed', async () => {
    const file = newFile();
    const store = await openFile(file, 'Europe/Berlin');
    const totals = await openSqliteTotals(file);
    await store.journal.commit({
      number: 1,
      at: 0,
      increments: [{ meter: 'pulls', day: 20_000, quantity: 3n, dimensions: {} }],
    });
    const query = { meter: 'pulls', window: 'total', by: [], where: {}, limit: 10, offset: 0 } as const;
    expect((await totals.query(query, 20_000)).total).toBe(3n);
    expect(totals.timeZone).toBe('Europe/Berlin');
    await totals.close();
    await store.close();
    const alone = await openSqliteTotals(file);
    expect((await alone.query(query, 20_000)).total).toBe(3n);
    await alone.close();
  });

  test('says so when there is no ledger', async () => {
    await expect(openSqliteTotals(join(directory, 'none.sqlite'))).rejects.toMatchObject({ code: 'not_found' });
  });
});
