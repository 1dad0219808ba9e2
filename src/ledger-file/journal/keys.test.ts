import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock, systemRandom } from '../../base/index.ts';
import { outcome } from '../../usage/index.ts';
import { inspectLedger } from '../care/check.ts';
import { keyed, today } from '../../care/testing/ledger.ts';
import { openSqliteStore, type SqliteStoreOptions } from '../store.ts';
import { outdatedRunsSql } from './held-keys.ts';
import { KeyIndex } from './key-index.ts';

const noon = (today + 0.5) * 86_400_000;
const hourMs = 3_600_000;
const everything = { keys: noon + 2 * hourMs, details: today };

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-keys-'));
  file = join(directory, 'ledger.sqlite');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function open(options: Partial<SqliteStoreOptions> = {}) {
  const common = { file, timeZone: 'UTC', acceptTimeZone: false, clock: systemClock, random: systemRandom };
  return openSqliteStore({ ...common, ...options });
}

const pull = (id: number, repository = 'r') => ({
  id,
  meter: 'pulls',
  day: today,
  dimensions: { org: 'a.org', repository },
});

test('when all keys have expired a new one is not taken for one that was taken back', async () => {
  const store = await open();
  await store.journal.commit({ number: 1, at: noon, increments: [], keyed: keyed([pull(1)]) });
  await store.journal.commit({ number: 2, at: noon, increments: [], keyed: keyed([{ id: 2, voids: 1 }]) });
  expect(await store.journal.tidy(everything)).toBe(false);
  await store.close();
  expect(await inspectLedger(file)).toEqual([]);

  const later = await open();
  const at = noon + 40 * 24 * hourMs;
  await later.journal.commit({ number: 3, at, increments: [], keyed: keyed([pull(3)]) });
  const { outcomes, takenBack } = await later.journal.commit({
    number: 4,
    at,
    increments: [],
    keyed: keyed([{ id: 4, voids: 3 }]),
  });
  expect(outcomes).toEqual(Uint8Array.of(outcome.accepted));
  expect(takenBack).toMatchObject([{ quantity: -1n }]);
  await later.close();
});

test('a ledger that was closed in the middle of forgetting its keys takes new ones', async () => {
  const store = await open({ outboxBytesMax: 1_000_000 });
  let number = 0;
  const commit = (journal: typeof store.journal) =>
    journal.commit({ number: ++number, at: noon, increments: [], keyed: keyed([pull(number)]) });
  // As many runs as are forgotten at a time: what is known of them is forgotten with the next.
  for (let runs = 0; runs < 32; runs++) await commit(store.journal);
  expect(await store.journal.tidy(everything)).toBe(true);
  await store.close();
  const again = await open({ outboxBytesMax: 1_000_000 });
  expect(again.journal.heldKeys).toBe(0);
  await commit(again.journal);
  expect(again.journal.heldKeys).toBe(1);
  await again.close();
});

test('how many keys are held is known after each commit, and after opening again', async () => {
  const store = await open();
  expect(store.journal.heldKeys).toBe(0);
  await store.journal.commit({ number: 1, at: noon, increments: [], keyed: keyed([pull(1), pull(2)]) });
  await store.journal.commit({ number: 2, at: noon, increments: [], keyed: keyed([pull(2), { id: 3, voids: 4 }]) });
  // A void that comes first holds a place for its event.
  expect(store.journal.heldKeys).toBe(4);
  await store.close();
  const again = await open();
  expect(again.journal.heldKeys).toBe(4);
  await again.journal.tidy(everything);
  await again.journal.commit({ number: 3, at: noon, increments: [] });
  expect(again.journal.heldKeys).toBe(0);
  await again.close();
});

test('a void of what was rejected with its batch takes nothing back, and one of what came beside it does', async () => {
  const store = await open();
  const { meter, day, dimensions } = pull(0);
  const increments = [{ meter, day, dimensions, quantity: 2n ** 63n - 1n }];
  await store.journal.commit({ number: 1, at: noon, increments });
  const other = { ...pull(2), dimensions: { org: 'b.org' } };
  const both = await store.journal.commit({ number: 2, at: noon, increments: [], keyed: keyed([pull(1), other]) });
  expect(both.rejected).toBe(1);
  const voids = keyed([
    { id: 3, voids: 1 },
    { id: 4, voids: 2 },
  ]);
  const { outcomes, takenBack } = await store.journal.commit({ number: 3, at: noon, increments: [], keyed: voids });
  expect(outcomes).toEqual(Uint8Array.of(outcome.accepted, outcome.accepted));
  expect(takenBack).toMatchObject([{ meter: 'pulls', day: today, dimensions: { org: 'b.org' }, quantity: -1n }]);
  await store.close();
  expect(await inspectLedger(file)).toEqual([]);
});

test('batches that are refused leave no keys behind that would take the room of others', async () => {
  const store = await open({ heldKeysMax: 100, outboxBytesMax: 2_000 });
  const wide = Array.from({ length: 60 }, (_, index) => pull(index, `a-repository-of-its-own-${index}`));
  for (let tries = 0; tries < 3; tries++) {
    const refused = store.journal.commit({ number: 1, at: noon, increments: [], keyed: keyed(wide) });
    await expect(refused).rejects.toThrow(/^the outbox holds 0 bytes of 2000/);
  }
  const narrow = wide.map(({ id }) => pull(id));
  const { outcomes } = await store.journal.commit({ number: 1, at: noon, increments: [], keyed: keyed(narrow) });
  expect(outcomes?.every((each) => each === outcome.accepted)).toBe(true);
  const again = await store.journal.commit({ number: 2, at: noon, increments: [], keyed: keyed(narrow.slice(0, 40)) });
  expect(again.outcomes?.every((each) => each === outcome.duplicate)).toBe(true);
  await store.close();
});

test('an index from which the last keys were taken out is as it was before them', () => {
  const prints = Array.from({ length: 5_000 }, (_, index) => ((index * 2_654_435_761) % 97) << 20);
  const index = new KeyIndex();
  for (const print of prints) index.add(print >>> 0, 1);
  const more = prints
    .map((print, at) => [(print + (at % 3)) >>> 0, 2 + (at % 2)] as const)
    .toSorted((a, b) => a[1] - b[1]);
  for (const [print, run] of more) index.add(print, run);
  for (const [print, run] of more.toReversed()) index.removeLast(print, run);
  expect(index.size).toBe(prints.length);
  for (const print of new Set(prints)) {
    const times = prints.filter((each) => each === print).length;
    expect(index.find(print >>> 0)).toEqual(Array.from({ length: times }, () => 1));
    expect(index.find((print + 1) >>> 0)).toEqual([]);
  }
});

test('keys whose time is over are found without reading those of all others', async () => {
  await (await open()).close();
  const database = new DatabaseSync(file, { readOnly: true });
  const plan = database.prepare(`explain query plan ${outdatedRunsSql}`).all(0, 32);
  database.close();
  expect(plan.map(({ detail }) => String(detail))).toEqual([
    'SEARCH key_run USING COVERING INDEX key_run_received (received<?)',
    expect.stringContaining('CORRELATED'),
    expect.stringMatching(/^SEARCH p USING INTEGER PRIMARY KEY/),
  ]);
});
