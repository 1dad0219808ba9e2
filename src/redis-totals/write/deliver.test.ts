import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { scaled } from '../../../test/support/long.ts';
import { suiteRedis } from '../../../test/support/redis-suite.ts';
import { formatDay } from '../../usage/index.ts';
import type { RedisLink } from '../../redis-link/index.ts';
import { BatchLog, firstDay, increment, randomIncrements, randomLog, seeded, tokenOf } from './testing/batches.ts';
import { expectedSums, readState, sumsOf } from './testing/model.ts';
import { repeatingLink } from './testing/repeating-link.ts';
import { testWriter } from './testing/writer.ts';

const redis = suiteRedis();
let link: RedisLink;

beforeEach(async () => void ({ link } = await redis.freshLink()));

const date = formatDay(firstDay);
const month = date.slice(0, 7);
const delivered = { kind: 'delivered', rejected: [] };
const set = (key: string, field: string, value: string) => link.send({ key, args: ['HSET', key, field, value] });
const rejections = async (key = '{metrics/v1}:rejected') => {
  const entries = (await link.send({ key, args: ['LRANGE', key, '0', '-1'] })) as readonly string[];
  return entries.map((entry) => JSON.parse(entry) as unknown);
};

it("writes Wave's fields, the ledger's own sums, details, names and numbers", async () => {
  const log = new BatchLog();
  log.add([
    increment('pulls', firstDay, { org: 'a.example', arch: 'amd64', repository: 'x' }, 2),
    increment('pulls', firstDay, { org: 'a.example', arch: 'amd64', repository: 'y' }, 3),
    increment('pulls', firstDay, {}),
  ]);
  log.add([increment('egress_bytes', firstDay + 1, { org: 'b.example' }, 2n ** 60n)]);
  const { writer } = testWriter(link);
  expect(await writer.position()).toBe(0);
  expect(await writer.deliver(log.batches)).toEqual(delivered);
  expect(await writer.position()).toBe(2);
  const next = formatDay(firstDay + 1);
  expect(await readState(link)).toEqual({
    'metrics/v1': {
      [`pulls/d/${date}`]: '6',
      [`pulls/a/amd64/d/${date}`]: '5',
      'pulls/a/amd64': '5',
      'pulls/o/a.example': '5',
      [`pulls/o/a.example/d/${date}`]: '5',
      'pulls/o/a.example/a/amd64': '5',
      [`pulls/o/a.example/a/amd64/d/${date}`]: '5',
    },
    '{metrics/v1}:others': {
      [`egress_bytes/d/${next}`]: '1152921504606846976',
      'egress_bytes/o/b.example': '1152921504606846976',
      [`egress_bytes/o/b.example/d/${next}`]: '1152921504606846976',
    },
    '{metrics/v1}:seq': { one: `2:${tokenOf(2)}` },
    [`{metrics/v1}:own:one:day:pulls:${date}`]: { '["a.example","amd64"]': '5', '[null,null]': '1' },
    [`{metrics/v1}:own:one:month:pulls:${month}`]: { '["a.example","amd64"]': '5', '[null,null]': '1' },
    [`{metrics/v1}:own:one:day:egress_bytes:${next}`]: { '["b.example",null]': '1152921504606846976' },
    [`{metrics/v1}:own:one:month:egress_bytes:${month}`]: { '["b.example",null]': '1152921504606846976' },
    '{metrics/v1}:own:one:days:pulls': [date],
    '{metrics/v1}:own:one:days:egress_bytes': [next],
    '{metrics/v1}:index:orgs:pulls': ['a.example'],
    '{metrics/v1}:index:archs:pulls': ['amd64'],
    '{metrics/v1}:index:days:pulls': [date],
    '{metrics/v1}:index:orgs:egress_bytes': ['b.example'],
    '{metrics/v1}:index:days:egress_bytes': [next],
    [`{tonnage/pulls/${date}}:cells:one`]: {
      '["a.example","amd64",null,"x"]': '2',
      '["a.example","amd64",null,"y"]': '3',
      '[]': '1',
    },
    [`{tonnage/pulls/${date}}:seq`]: { one: `1:${tokenOf(1)}` },
    [`{tonnage/egress_bytes/${next}}:cells:one`]: { '["b.example"]': '1152921504606846976' },
    [`{tonnage/egress_bytes/${next}}:seq`]: { one: `2:${tokenOf(2)}` },
  });
});

it("adds to Wave's counts, and deletes fields at 0 only in hashes that no one else writes", async () => {
  const log = new BatchLog();
  const event = increment('pulls', firstDay, { org: 'a.example' }, 4);
  log.add([event]);
  log.add([{ ...event, quantity: -4n }]);
  await set('metrics/v1', 'pulls/o/a.example', '10');
  const { writer } = testWriter(link);
  await writer.deliver(log.read(0, 1));
  expect(await redis.server.cli('hget', 'metrics/v1', 'pulls/o/a.example')).toBe('14');
  await writer.deliver(log.read(1));
  expect(await redis.server.cli('hget', 'metrics/v1', 'pulls/o/a.example')).toBe('10');
  expect(await redis.server.cli('hget', 'metrics/v1', `pulls/d/${date}`)).toBe('0');
  const gone = [`{metrics/v1}:own:one:day:pulls:${date}`, `{metrics/v1}:own:one:month:pulls:${month}`];
  expect(await redis.server.cli('exists', ...gone, `{tonnage/pulls/${date}}:cells:one`)).toBe('0');
});

it('reaches the same sums however batches are grouped, repeated and restarted', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.array(fc.tuple(fc.nat(39), fc.integer({ min: 1, max: 12 }))), async (seed, calls) => {
      await link.send({ args: ['FLUSHALL'] });
      const log = randomLog(seed, 40);
      const { writer } = testWriter(link);
      let position = 0;
      // Batches that end at any number, and begin before the position or directly after it.
      for (const [back, length] of calls) {
        const from = Math.max(0, position - back);
        const batches = log.read(from, back + length);
        if (batches.length === 0) continue;
        expect(await writer.deliver(batches)).toEqual(delivered);
        position = Math.max(position, from + batches.length);
        expect(await writer.position()).toBe(position);
      }
      if (position < log.last) await writer.deliver(log.read(position));
      expect(sumsOf(await readState(link))).toEqual(expectedSums([log.countsOf()]));
    }),
    { numRuns: scaled(25, 250) },
  );
});

it('answers where to begin again if batches are missing in sums or in details', async () => {
  const log = new BatchLog();
  const random = seeded(1);
  for (let i = 0; i < 9; i += 1)
    log.add([increment('pulls', firstDay, { org: 'a.example' }), ...randomIncrements(random)]);
  const { writer } = testWriter(link);
  await writer.deliver(log.read(0, 4));
  expect(await writer.deliver(log.read(6))).toEqual({ kind: 'rewind', to: 4 });
  await set(`{tonnage/pulls/${date}}:seq`, 'one', `2:${tokenOf(2)}`);
  await link.send({ args: ['DEL', `{tonnage/pulls/${date}}:cells:one`], key: `{tonnage/pulls/${date}}:seq` });
  expect(await writer.deliver(log.read(4))).toEqual({ kind: 'rewind', to: 2 });
  await redis.server.cli('flushall');
  expect(await writer.deliver(log.read(4))).toEqual({ kind: 'rewind', to: 0 });
  expect(await writer.deliver(log.read(0))).toEqual(delivered);
  expect(sumsOf(await readState(link))).toEqual(expectedSums([log.countsOf()]));
});

it('advances over a batch that changes nothing', async () => {
  const log = new BatchLog();
  log.add([]);
  log.add([increment('pulls', firstDay, { org: 'a.example' })]);
  const { writer } = testWriter(link);
  expect(await writer.deliver(log.read(0, 1))).toEqual(delivered);
  expect(await writer.position()).toBe(1);
  expect(await writer.deliver(log.read(1))).toEqual(delivered);
  expect(await writer.deliver([])).toEqual(delivered);
  expect(sumsOf(await readState(link))).toEqual(expectedSums([log.countsOf()]));
});

it('ignores a call that arrives twice or late', async () => {
  const log = randomLog(5, 30);
  const { link: twice, replay } = repeatingLink(link);
  const { writer } = testWriter(twice);
  for (let from = 0; from < 30; from += 6) await writer.deliver(log.read(from, 6));
  expect(sumsOf(await readState(link))).toEqual(expectedSums([log.countsOf()]));
  await replay();
  expect(sumsOf(await readState(link))).toEqual(expectedSums([log.countsOf()]));
});

describe('fields that cannot be added to', () => {
  const inRange = 2n ** 63n - 1n;

  it.each(['', 'x', '1.0', '1e3', ' 1', '01', '-0', '+1', '0x10', 'inf', 'nan', '9223372036854775808', '1'.repeat(40)])(
    'of an organisation with the value %j: a change of such a field is rejected whole, all other changes count',
    async (value) => {
      await set('metrics/v1', 'pulls/o/a.example/a/amd64', value);
      const log = new BatchLog();
      log.add([
        increment('pulls', firstDay, { org: 'a.example', arch: 'amd64' }, 2),
        increment('pulls', firstDay, { org: 'a.example', arch: 'arm64' }, 3),
        increment('pulls', firstDay, { org: 'b.example', arch: 'amd64' }, 4),
      ]);
      log.add([increment('pulls', firstDay, { org: 'a.example', arch: 'amd64' }, 5)]);
      const { writer } = testWriter(link);
      expect(await writer.deliver(log.batches)).toEqual({
        kind: 'delivered',
        rejected: ['pulls/o/a.example/a/amd64', 'pulls/o/a.example/a/amd64'],
      });
      const entry = { ledger: 'one', meter: 'pulls', day: date, org: 'a.example', arch: 'amd64' };
      expect(await rejections()).toEqual([
        { ...entry, batch: 1, quantity: '2' },
        { ...entry, batch: 2, quantity: '5' },
      ]);
      const { increments } = log.batches[0]!;
      const field = ['metrics/v1', 'pulls/o/a.example/a/amd64'];
      expect(await link.send({ key: 'metrics/v1', args: ['HGET', ...field] })).toBe(value);
      await link.send({ key: 'metrics/v1', args: ['HDEL', ...field] });
      const totals = expectedSums([{ ledgerId: 'one', increments: increments.slice(1) }])['metrics/v1'];
      expect((await readState(link))['metrics/v1']).toEqual(totals);
      expect(await writer.deliver(log.batches)).toEqual(delivered); // a duplicate rejects nothing again
      expect(await rejections()).toHaveLength(2);
    },
  );

  it.each([
    { held: inRange, amount: 1n, fits: false },
    { held: inRange - 1n, amount: 1n, fits: true },
    { held: -inRange, amount: -1n, fits: true },
    { held: -inRange - 1n, amount: -1n, fits: false },
    { held: -inRange - 1n, amount: inRange, fits: true },
    { held: 2n ** 53n - 1n, amount: 2n, fits: true },
    { held: 2n ** 53n + 1n, amount: -2n, fits: true },
    { held: -(2n ** 62n), amount: -(2n ** 62n), fits: true },
    { held: 2n ** 62n, amount: 2n ** 62n, fits: false },
    { held: 1_999_999_999n, amount: -1_000_000_000_000_000_000n, fits: true },
    { held: 9_223_372_036_000_000_000n, amount: 854_775_807n, fits: true },
    { held: 9_223_372_036_000_000_000n, amount: 854_775_808n, fits: false },
    { held: 9_999_999_999_999_999_999n, amount: -(10n ** 18n), fits: false }, // the held value exceeds 64 bits
    { held: -9_999_999_999_999_999_999n, amount: 10n ** 18n, fits: false },
  ])('$held and $amount together: in range is $fits', async ({ held, amount, fits }) => {
    await set('metrics/v1', 'pulls/o/a.example', String(held));
    const log = new BatchLog();
    log.add([increment('pulls', firstDay, { org: 'a.example' }, amount)]);
    const { writer } = testWriter(link);
    expect(await writer.deliver(log.batches)).toEqual({
      kind: 'delivered',
      rejected: fits ? [] : ['pulls/o/a.example'],
    });
    const sum = fits ? held + amount : held;
    expect(await redis.server.cli('hget', 'metrics/v1', 'pulls/o/a.example')).toBe(String(sum));
    expect(await redis.server.cli('hexists', 'metrics/v1', `pulls/d/${date}`)).toBe(fits ? '1' : '0');
  });

  it('take the changes that fit, one by one, if their sum would overflow', async () => {
    const log = new BatchLog();
    for (const quantity of [inRange, 5n, -7n, 6n, 2n ** 63n]) {
      log.add([increment('pulls', firstDay, { org: 'a.example' }, quantity)]);
    }
    const { writer } = testWriter(link);
    // The details of the day overflow as well. They have a tag and a list of their own.
    expect(await writer.deliver(log.batches)).toMatchObject({ rejected: { length: 4 } });
    expect(await redis.server.cli('hget', 'metrics/v1', 'pulls/o/a.example')).toBe(String(inRange - 1n));
    const quantities = [{ quantity: '5' }, { quantity: '9223372036854775808' }];
    expect(await rejections()).toMatchObject(quantities);
    expect(await rejections(`{tonnage/pulls/${date}}:rejected`)).toMatchObject(quantities);
  });

  it('reject names whose field would read as that of another account', async () => {
    const log = new BatchLog();
    log.add([
      increment('pulls', firstDay, { org: 'a/d/2026-01-01' }),
      increment('pulls', firstDay, { org: 'a', arch: 'x/y' }),
      increment('pulls', firstDay, { org: '' }),
      increment('pulls', firstDay, { org: 'a' }),
    ]);
    const { writer } = testWriter(link);
    expect(await writer.deliver(log.batches)).toEqual({ kind: 'delivered', rejected: ['', '', ''] });
    expect(Object.keys((await readState(link))['metrics/v1'] ?? {})).toHaveLength(3);
    expect(await redis.server.cli('smembers', '{metrics/v1}:index:orgs:pulls')).toBe('a');
  });
});

describe('a full field that several organisations share', () => {
  const full = String(2n ** 63n - 1n);
  const day = `pulls/d/${date}`;
  const lacking = '{metrics/v1}:lacking:one';
  const hash = async (key: string) => (await readState(link))[key] ?? {};
  const pull = (org: string, quantity: number) => increment('pulls', firstDay, { org, arch: 'amd64' }, quantity);

  beforeEach(() => set('metrics/v1', day, full));

  it('rejects only its own part: the fields of each organisation still count, and the full field keeps its value', async () => {
    const log = new BatchLog();
    log.add([pull('a.example', 2), pull('b.example', 3), increment('pulls', firstDay, {}, 4)]);
    log.add([pull('a.example', 5)]);
    const { writer } = testWriter(link);
    expect(await writer.deliver(log.batches)).toEqual({ kind: 'delivered', rejected: [day] });
    const sums = expectedSums([log.countsOf()]);
    const totals = Object.assign({}, sums['metrics/v1'], { [day]: full });
    expect(sumsOf(await readState(link))).toEqual({ ...sums, 'metrics/v1': totals });
    expect(await hash(lacking)).toEqual({ [day]: '14' });
    expect(await rejections()).toEqual([{ ledger: 'one', batch: 2, field: day, quantity: '14' }]);

    // A later batch adds to the lacking amount, a repeated one does not. Neither adds an entry to the list.
    log.add([pull('b.example', 1)]);
    expect(await writer.deliver(log.read(2))).toEqual({ kind: 'delivered', rejected: [day] });
    expect(await writer.deliver(log.read(1))).toEqual(delivered);
    expect(await hash(lacking)).toEqual({ [day]: '15' });
    expect(await rejections()).toHaveLength(1);
  });

  it('does not lower the field for a void of what it rejected; only the rest of a larger void lowers it', async () => {
    const log = new BatchLog();
    for (const quantity of [7, -7, 2]) log.add([pull('a.example', quantity)]);
    const { writer } = testWriter(link);
    await writer.deliver(log.read(0, 1));
    await writer.deliver(log.read(1, 1));
    expect(await hash('metrics/v1')).toEqual({ [day]: full });
    expect(await hash(lacking)).toEqual({});

    await writer.deliver(log.read(2, 1));
    log.add([pull('a.example', -2), increment('pulls', firstDay, { org: 'b.example', arch: 'amd64' }, -3)]);
    await writer.deliver(log.read(3, 1));
    expect(await hash('metrics/v1')).toMatchObject({ [day]: String(BigInt(full) - 3n), 'pulls/a/amd64': '-3' });
    expect(await hash(lacking)).toEqual({});
  });

  it('is not lowered by a void of what it rejected, even after it was repaired', async () => {
    const log = new BatchLog();
    for (const quantity of [7, -7]) log.add([pull('a.example', quantity)]);
    await set('metrics/v1', day, 'text');
    const { writer } = testWriter(link);
    await writer.deliver(log.read(0, 1));
    await set('metrics/v1', day, '10');
    expect(await writer.deliver(log.read(1, 1))).toEqual(delivered);
    expect(await hash('metrics/v1')).toEqual({ [day]: '10' });
  });

  it("rejects nothing itself if an organisation's own field already rejects the change", async () => {
    await set('metrics/v1', 'pulls/o/a.example', 'text');
    const log = new BatchLog();
    log.add([pull('a.example', 2), pull('b.example', 3)]);
    const { writer } = testWriter(link);
    expect(await writer.deliver(log.batches)).toEqual({ kind: 'delivered', rejected: ['pulls/o/a.example', day] });
    expect(await hash(lacking)).toEqual({ [day]: '3' });
    expect(await hash('metrics/v1')).toMatchObject({ 'pulls/a/amd64': '3', 'pulls/o/b.example': '3' });
  });
});

describe('a key of the wrong type', () => {
  const log = new BatchLog();
  log.add([increment('pulls', firstDay, { org: 'a.example', arch: 'amd64' })]);

  it.each([
    ['metrics/v1', 'hash'],
    [`{metrics/v1}:own:one:month:pulls:${month}`, 'hash'],
    ['{metrics/v1}:index:archs:pulls', 'set'],
    [`{tonnage/pulls/${date}}:cells:one`, 'hash'],
  ])('is reported for %s, and no key of that tag is written', async (key, expected) => {
    await redis.server.cli('set', key, 'text');
    const { writer } = testWriter(link);
    const message = `Key ${key} in Redis must be a ${expected}, but is a string`;
    await expect(writer.deliver(log.batches)).rejects.toMatchObject({ code: 'store_invalid', message });
    expect(writer.failure).toBe(message);
    expect(await redis.server.cli('exists', '{metrics/v1}:seq', '{metrics/v1}:index:orgs:pulls')).toBe('0');
    await redis.server.cli('del', key);
    expect(await writer.deliver(log.batches)).toEqual(delivered);
    expect(writer.failure).toBeUndefined();
    expect(sumsOf(await readState(link))).toEqual(expectedSums([log.countsOf()]));
  });
});
