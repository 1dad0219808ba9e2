import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock, systemRandom } from '../../base/index.ts';
import { scaled } from '../../../test/support/long.ts';
import { storeConformance } from '../conformance.ts';
import { openSqliteStore, openSqliteTotals } from './sqlite.ts';

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
  storeConformance(fixture, scaled(500, 10_000));
});

describe('the time zone', () => {
  test('is kept in the ledger; another one is refused unless it is accepted', async () => {
    const file = newFile();
    await (await openFile(file, 'Europe/Berlin')).close();
    await expect(openFile(file, 'UTC')).rejects.toMatchObject({
      code: 'time_zone_changed',
      message: expect.stringMatching(/Europe\/Berlin.*UTC.*--accept-time-zone/),
    });
    await (await openFile(file, 'UTC', true)).close();
    await (await openFile(file, 'UTC')).close();
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
