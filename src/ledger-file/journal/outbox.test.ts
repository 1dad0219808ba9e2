import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { systemClock, systemRandom } from '../../base/index.ts';
import { pulls, today } from '../../care/testing/ledger.ts';
import { openSqliteStore } from '../store.ts';

test('of batches that are large a few are read at a time, and one that is larger than that alone', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tonnage-outbox-'));
  const file = join(directory, 'ledger.sqlite');
  const common = { timeZone: 'UTC', acceptTimeZone: false, clock: systemClock, random: systemRandom };
  const store = await openSqliteStore({ file, outboxBytesMax: 1_000_000, ...common });
  const database = new DatabaseSync(file, { timeout: 5_000 });
  for (const [index, megabytes] of [7, 8, 3, 20, 1].entries()) {
    const number = index + 1;
    await store.journal.commit({ number, at: 0, increments: [pulls(today, 1n, {})] });
    // As if it had been so large.
    database.prepare('update outbox set bytes = ? where number = ?').run(megabytes * 1024 * 1024, number);
  }
  database.close();
  const numbersAfter = async (after: number, max = 256) =>
    (await store.journal.outbox?.read(after, max))?.map(({ number }) => number);
  expect(await numbersAfter(0)).toEqual([1, 2]);
  expect(await numbersAfter(2)).toEqual([3]);
  expect(await numbersAfter(3)).toEqual([4]);
  expect(await numbersAfter(4)).toEqual([5]);
  expect(await numbersAfter(0, 1)).toEqual([1]);
  expect(await numbersAfter(5)).toEqual([]);
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});
