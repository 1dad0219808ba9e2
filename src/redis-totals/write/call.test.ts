import { describe, expect, it } from 'vitest';
import { oneSlotOf } from '../../redis-link/index.ts';
import { composeCall, parseAnswer, sumBatches } from './call.ts';
import { detailBatches, mainBatches, type TagBatches } from './changes.ts';
import { nextGroup } from './deliver.ts';
import { nextMark } from './replace.ts';
import { BatchLog, firstDay, increment, randomIncrements, seeded } from './testing/batches.ts';

const event = increment('pulls', firstDay, { org: 'a.example', arch: 'amd64', repository: 'x' });

function callOf(tag: TagBatches, bad: readonly string[] = []) {
  return composeCall(
    { ...tag, ledgerId: 'one', lastBatch: 1 },
    ['one', '1', '0', '1'],
    sumBatches(tag.batches, new Set(bad)),
  );
}

describe('a call', () => {
  it('has keys of one slot only, and those of rejected amounts only if it may reject something', () => {
    const log = new BatchLog();
    const random = seeded(1);
    const withoutVoids = () => randomIncrements(random).filter(({ quantity }) => quantity > 0n);
    for (let i = 0; i < 20; i += 1) log.add(withoutVoids());
    const tags = [mainBatches('one', log.batches), ...detailBatches('one', log.batches, 0)];
    expect(tags.length).toBeGreaterThan(10);
    for (const tag of tags) {
      const { keys } = callOf(tag);
      expect(() => oneSlotOf(keys), keys.join(' ')).not.toThrow();
      expect(keys).not.toContain(tag.rejectedKey);
    }
    const main = mainBatches('one', log.batches);
    const all = ['{metrics/v1}:lacking:one', '{metrics/v1}:missing:one', main.rejectedKey];
    expect(callOf(main, ['metrics/v1\npulls/a/amd64']).keys.slice(-3)).toEqual(all);
    log.add([{ ...event, quantity: -1_000n }]);
    expect(callOf(mainBatches('one', log.batches)).keys.slice(-3)).toEqual(all);
  });

  it('changes each field once, however many batches change it, and no field whose sum is 0', () => {
    const log = new BatchLog();
    for (const quantity of [5, 7, -3]) log.add([{ ...event, quantity: BigInt(quantity) }]);
    const { args } = callOf(mainBatches('one', log.batches));
    expect(args.filter((arg) => arg === 'pulls/o/a.example')).toHaveLength(1);
    expect(args.filter((arg) => arg === '9')).toHaveLength(9); // seven fields of Wave, a day and a month
    log.add([{ ...event, quantity: -9n }]);
    expect(callOf(mainBatches('one', log.batches)).args).not.toContain('pulls/o/a.example');
  });

  it('applies changes individually if their sum overflows 64 bits', () => {
    const log = new BatchLog();
    for (let i = 0; i < 2; i += 1) log.add([{ ...event, quantity: 2n ** 62n }]);
    log.add([increment('pulls', firstDay, { org: 'b.example' })]);
    const { single, singleShared } = sumBatches(mainBatches('one', log.batches).batches, new Set());
    // Not the third change: its own fields do not overflow, and the shared field of the day is no reason.
    expect(single.map(({ batch, amount }) => [batch, amount])).toEqual([
      [1, 2n ** 62n],
      [2, 2n ** 62n],
    ]);
    expect(singleShared).toEqual([]);
  });

  it('parses the answers of a script', () => {
    const log = new BatchLog();
    log.add([event]);
    const call = callOf(mainBatches('one', log.batches));
    expect(parseAnswer(['applied', 'x', 'y'], call)).toEqual({ kind: 'applied', rejected: ['x', 'y'] });
    expect(parseAnswer(['kept', '7:abc'], call)).toEqual({ kind: 'kept', batch: { number: 7, token: 'abc' } });
    expect(parseAnswer(['duplicate', '8'], call)).toEqual({ kind: 'duplicate', batch: { number: 8, token: '' } });
    expect(parseAnswer(['bad', 0, 1, 1, 0], call)).toEqual({
      kind: 'bad',
      fields: [
        'metrics/v1\npulls/o/a.example/d/2026-10-29',
        '{metrics/v1}:own:one:day:pulls:2026-10-29\n["a.example","amd64"]',
      ],
    });
    expect(() => parseAnswer(['marked', 'rebuilding:7:1'], call)).toThrow('tonnage ledger rebuild');
    expect(() => parseAnswer(['else'], call)).toThrow('BUG: a script answered else');
  });
});

describe('a group', () => {
  const log = new BatchLog();
  for (const cells of [2, 3, 9, 1]) log.add(Array.from({ length: cells }, () => event));

  it.each([
    { from: 0, cellsMax: 5, batches: [1, 2] },
    { from: 0, cellsMax: 4, batches: [1] },
    { from: 2, cellsMax: 5, batches: [3] }, // a batch larger than the limit is not split
    { from: 0, cellsMax: 100, batches: [1, 2, 3, 4] },
    { from: 4, cellsMax: 5, batches: [] },
  ])('of at most $cellsMax cells after batch $from is $batches', ({ from, cellsMax, batches }) => {
    expect(nextGroup(log.read(from), cellsMax).map(({ number }) => number)).toEqual(batches);
  });
});

it('groups details by meter and day, with the previous batch of that day, and leaves out expired days', () => {
  const log = new BatchLog();
  log.add([event, { ...event, day: firstDay + 1 }]);
  log.add([increment('builds', firstDay, {})]);
  log.add([event, increment('builds', firstDay, {})]);
  log.add([event]);
  const touches = (from: number, detailsFrom: number) =>
    detailBatches('one', log.read(from), detailsFrom).map(({ detail, batches }) => [
      detail?.meter,
      (detail?.day ?? 0) - firstDay,
      batches.map(({ number, previous }) => [number, previous.number]),
    ]);
  expect(touches(1, firstDay)).toEqual([
    [
      'builds',
      0,
      [
        [2, 0],
        [3, 2],
      ],
    ],
    [
      'pulls',
      0,
      [
        [3, 1],
        [4, 3],
      ],
    ],
  ]);
  expect(touches(0, firstDay + 1)).toEqual([['pulls', 1, [[1, 0]]]]);
});

it.each([
  ['', 5, 'rebuilding:5:1'],
  ['17', 5, 'rebuilding:5:1'],
  ['rebuilding:5:1', 5, 'rebuilding:5:2'],
  ['rebuilding:5:9', 8, 'rebuilding:8:10'],
])('a rebuild that finds %j and goes up to batch %i sets the mark %s', (kept, number, text) => {
  expect(nextMark(kept, number).text).toBe(text);
});
