import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../base/index.ts';
import {
  accountKey,
  dimensions,
  monthOf,
  parseDay,
  type Dimension,
  type UsageAnswer,
  type UsageQuery,
} from '../../usage/index.ts';
import { scaled } from '../../../test/support/long.ts';
import { suiteRedis } from '../../../test/support/redis-suite.ts';
import { importKey, indexKey, ownDayKey, ownDaysKey, ownMonthKey, waveHash } from '../layout.ts';
import { openRedisLink, type RedisLink } from '../../redis-link/index.ts';
import { silent as log } from '../testing/redis-store.ts';
import { fill, wave, waveCommands, type Counted } from './testing/fill.ts';
import { createRedisTotals } from './totals.ts';

const day = (text: string): number => parseDay(text) ?? Number.NaN;
const today = day('2026-11-21');
const everything = {
  meter: 'pulls',
  window: 'total',
  by: [],
  where: {},
  limit: 10_000,
  offset: 0,
} satisfies UsageQuery;

const redis = suiteRedis();
let link: RedisLink;
beforeEach(async () => void ({ link } = await redis.freshLink()));

const ask = (query: UsageQuery, options = {}): Promise<UsageAnswer> =>
  createRedisTotals({ link, clock: systemClock, ...options }).query(query, today);

function counted(by: string, date: string, quantity: bigint, values: Counted['dimensions'], meter = 'pulls'): Counted {
  return { by, meter, day: day(date), quantity, dimensions: values };
}

describe('ranges', () => {
  test('an empty Redis answers for the current day, without rows', async () => {
    expect(await ask(everything)).toEqual({ from: today, to: today + 1, rows: [], total: 0n });
  });

  test('an open range begins at the first day with counts of a ledger or of Wave, and ends with the current day', async () => {
    await fill(link, [
      counted('one', '2026-11-20', 2n, { org: 'a.org' }),
      counted(wave, '2025-01-31', 1n, {}),
      counted('one', '2026-11-22', 7n, {}),
    ]);
    expect(await ask(everything)).toEqual({
      from: day('2025-01-31'),
      to: today + 1,
      rows: [{ dimensions: {}, value: 3n }],
      total: 3n,
    });
  });

  test('all time includes days after the current one, and leaves out events without an organisation', async () => {
    await fill(link, [counted('one', '2026-11-22', 7n, { org: 'a.org' }), counted('one', '2026-11-20', 2n, {})]);
    expect(await ask({ ...everything, allTime: true })).toEqual({
      from: day('2026-11-20'),
      to: day('2026-11-23'),
      rows: [{ dimensions: {}, value: 7n }],
      total: 7n,
    });
  });
});

describe('a day that begins during the read of its month', () => {
  test('is not included if the range ends before it', async () => {
    await fill(link, [counted('one', '2026-11-20', 2n, {})]);
    let begun = false;
    const pipeline: RedisLink['pipeline'] = async (commands) => {
      if (!begun && commands.some(({ args }) => args[0] === 'HGETALL')) {
        begun = true;
        const month = ownMonthKey('one', 'pulls', monthOf(today));
        const dayKey = ownDayKey('one', 'pulls', today + 1);
        await link.pipeline([
          { args: ['SADD', ownDaysKey('one', 'pulls'), '2026-11-22'] },
          { args: ['HINCRBY', dayKey, accountKey({}), '7'] },
          { args: ['HINCRBY', month, accountKey({}), '7'] },
        ]);
      }
      return link.pipeline(commands);
    };
    const totals = createRedisTotals({ link: { pipeline }, clock: systemClock });
    expect((await totals.query(everything, today)).total).toBe(2n);
    expect((await totals.query({ ...everything, to: today + 2 }, today)).total).toBe(9n);
  });
});

describe('details', () => {
  const ofRepositories = { ...everything, by: ['repository'] } satisfies UsageQuery;

  test('a day without details is answered from accounts, and the answer lists the folded dimensions', async () => {
    const events = [
      counted('one', '2025-11-20', 5n, { org: 'a.org', repository: 'x' }),
      counted('one', '2026-11-20', 2n, { org: 'a.org', repository: 'x' }),
    ];
    await fill(link, events, day('2026-01-01'));
    expect(await ask(ofRepositories)).toMatchObject({
      rows: [
        { dimensions: { repository: null }, value: 5n },
        { dimensions: { repository: 'x' }, value: 2n },
      ],
      folded: ['repository'],
    });
    expect(await ask({ ...ofRepositories, from: today - 1 })).not.toHaveProperty('folded');
  });

  test('a day before the first kept one is answered from accounts, even if Redis still has its details', async () => {
    await fill(link, [counted('one', '2026-11-19', 5n, { repository: 'x' })]);
    expect(await ask(ofRepositories, { detailsFrom: () => today })).toMatchObject({
      rows: [{ dimensions: { repository: null }, value: 5n }],
      folded: ['repository'],
    });
  });

  test("Wave's own counts have no details, and the answer lists the folded dimensions", async () => {
    await fill(link, [
      counted('one', '2026-11-20', 2n, { org: 'a.org', repository: 'x' }),
      counted('two', '2026-11-20', 3n, { org: 'a.org', repository: 'x' }),
      counted(wave, '2026-11-20', 7n, { org: 'a.org', arch: 'amd64' }),
    ]);
    expect(await ask(ofRepositories)).toMatchObject({
      rows: [
        { dimensions: { repository: null }, value: 7n },
        { dimensions: { repository: 'x' }, value: 5n },
      ],
      total: 12n,
      folded: ['repository'],
    });
  });
});

describe('with besideWave', () => {
  test("the current day is read from Wave's hash, and the answer has indexedAt", async () => {
    await fill(link, [counted('one', '2026-11-21', 2n, { org: 'a.org' })]);
    await link.pipeline(waveCommands(counted(wave, '2026-11-21', 3n, { org: 'a.org' })));
    await link.send({ args: ['HSET', importKey, 'indexedAt', '1234'] });
    expect((await ask(everything)).total).toBe(2n);
    expect(await ask(everything, { besideWave: true })).toMatchObject({ total: 5n, indexedAt: 1234 });
    expect(await ask({ ...everything, meter: 'egress_bytes' }, { besideWave: true })).not.toHaveProperty('indexedAt');
  });
});

test('ignores members of a set of days that are not dates', async () => {
  await fill(link, [counted('one', '2026-11-20', 2n, {})]);
  await link.send({ args: ['SADD', ownDaysKey('one', 'pulls'), 'yesterday'] });
  expect((await ask(everything)).total).toBe(2n);
});

describe('failures', () => {
  test('rejects a count that is not an integer, and names it', async () => {
    await fill(link, [counted(wave, '2026-11-20', 1n, {})]);
    await link.send({ args: ['HSET', waveHash, 'pulls/d/2026-11-20', 'many'] });
    await expect(ask(everything)).rejects.toMatchObject({
      code: 'store_invalid',
      message: expect.stringContaining('many'),
    });
  });

  test('rejects if Redis is unreachable', async () => {
    const away = await openRedisLink({ mode: 'standalone', url: 'redis://127.0.0.1:1', clock: systemClock, log });
    await expect(createRedisTotals({ link: away, clock: systemClock }).query(everything, today)).rejects.toMatchObject({
      code: 'redis_unavailable',
    });
    await away.close();
  });

  test('rejects a query that takes too long', async () => {
    let now = 0;
    const clock = { now: () => 0, monotonic: () => (now += 9_000) };
    await expect(createRedisTotals({ link, clock }).query(everything, today)).rejects.toMatchObject({
      code: 'query_deadline',
    });
  });
});

test('a query that states its organisation and architecture reads no names', async () => {
  await fill(link, [counted(wave, '2026-11-20', 2n, { org: 'a.org', arch: 'amd64' })]);
  const asked: (string | undefined)[] = [];
  const pipeline: RedisLink['pipeline'] = (commands) => {
    asked.push(...commands.map(({ key }) => key));
    return link.pipeline(commands);
  };
  const totals = createRedisTotals({ link: { pipeline }, clock: systemClock });
  const where = { org: 'a.org', arch: 'amd64' };
  for (const range of [{ allTime: true }, {}] as const) {
    expect((await totals.query({ ...everything, ...range, where }, today)).total).toBe(2n);
  }
  expect(asked).toContain(waveHash);
  expect(asked.filter((key) => key === indexKey('pulls', 'orgs') || key === indexKey('pulls', 'archs'))).toEqual([]);
});

test('large hashes and sets are read in slices, and pages are consecutive', async () => {
  const many = Array.from({ length: 12_000 }, (_, index) => index);
  const everyone = many.map((index) =>
    counted(index % 3 === 0 ? wave : 'one', index % 3 === 0 ? '2026-11-20' : '2026-10-20', 1n, {
      org: `o${index}.org`,
    }),
  );
  await fill(link, everyone);
  const whole = await ask({ ...everything, by: ['org'], limit: 20_000 });
  expect(whole.rows.map((row) => row.dimensions.org)).toEqual(many.map((index) => `o${index}.org`).toSorted());
  const page = await ask({ ...everything, by: ['org'], limit: 10, offset: 5_000 });
  expect(page).toEqual({ ...whole, rows: whole.rows.slice(5_000, 5_010), nextOffset: 5_010 });
});

const name = fc.option(fc.constantFrom('a.org', 'b.org', "it's", '\u{ffff}', '\u{10000}'), { nil: undefined });
const dimension = fc.constantFrom<Dimension>('org', 'arch', 'upstream', 'repository');
const anyDay = fc.integer({ min: today - 70, max: today + 1 });
const detailsFrom = today - 40;
const anything: fc.Arbitrary<Counted> = fc
  .record({
    by: fc.constantFrom(wave, 'one', 'two'),
    meter: fc.constantFrom('pulls', 'fusion', 'egress_bytes'),
    day: anyDay,
    quantity: fc.oneof(fc.bigInt({ min: 1n, max: 5n }), fc.bigInt({ min: 1n, max: 2n ** 56n })),
    dimensions: fc.record({ org: name, arch: name, upstream: name, repository: name }).map((values) => defined(values)),
  })
  .filter(({ by, meter }) => by !== wave || meter !== 'egress_bytes')
  .map((one) => (one.by === wave ? { ...one, dimensions: accountOnly(one.dimensions) } : one));
const anyQuery: fc.Arbitrary<UsageQuery> = fc
  .record(
    {
      meter: fc.constantFrom('pulls', 'fusion', 'egress_bytes'),
      from: anyDay,
      to: anyDay,
      allTime: fc.constant(true as const),
      window: fc.constantFrom('total', 'day', 'month'),
      by: fc.uniqueArray(dimension, { maxLength: 3 }),
      where: fc.dictionary(dimension, fc.constantFrom('a.org', '\u{10000}', null), {
        maxKeys: 2,
        noNullPrototype: true,
      }),
      limit: fc.constantFrom(3, 10_000),
      offset: fc.constantFrom(0, 2),
    },
    { requiredKeys: ['meter', 'window', 'by', 'where', 'limit', 'offset'] },
  )
  .map(({ allTime, from, to, ...rest }) =>
    allTime
      ? { ...rest, allTime, window: 'total' }
      : { ...rest, ...(from !== undefined && { from }), ...(to !== undefined && { to }) },
  );

test('every query has the same answer as a model in memory, for any counts of ledgers and of Wave', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anything, { maxLength: 30 }),
      fc.array(anyQuery, { minLength: 1, maxLength: 8 }),
      async (events, queries) => {
        await link.send({ args: ['FLUSHALL'] });
        await fill(link, events, detailsFrom);
        for (const query of queries) {
          const answer = await ask(query, { detailsFrom: () => detailsFrom });
          const expected = model(events, query);
          expect(answer.rows).toEqual(expected.rows);
          expect(answer.total).toBe(expected.total);
          expect(answer.nextOffset).toBe(expected.nextOffset);
        }
      },
    ),
    { numRuns: scaled(25, 1_000) },
  );
});

function model(events: readonly Counted[], query: UsageQuery): Pick<UsageAnswer, 'rows' | 'total' | 'nextOffset'> {
  const asked = new Set<Dimension>([...query.by, ...dimensions.filter((one) => query.where[one] !== undefined)]);
  const accountsOnly = [...asked].every((one) => one === 'org' || one === 'arch');
  const { from = -Infinity, to = query.allTime ? Infinity : today + 1 } = query;
  const found = new Map<string, { from?: number; values: (string | null)[]; value: bigint }>();
  for (const one of events) {
    if (one.meter !== query.meter || one.day < from || one.day >= to) continue;
    const values = one.day < detailsFrom ? accountOnly(one.dimensions) : one.dimensions;
    if (dimensions.some((each) => query.where[each] !== undefined && query.where[each] !== (values[each] ?? null)))
      continue;
    const anonymous = values.org === undefined && (values.arch === undefined || !asked.has('arch'));
    if (query.allTime && accountsOnly && anonymous) continue;
    const window = { total: {}, day: { from: one.day }, month: { from: monthOf(one.day) } }[query.window];
    const row = { ...window, values: query.by.map((each) => values[each] ?? null) };
    const key = JSON.stringify(row);
    found.set(key, { ...row, value: (found.get(key)?.value ?? 0n) + one.quantity });
  }
  const sorted = [...found.values()].toSorted(
    (a, b) =>
      (a.from ?? 0) - (b.from ?? 0) ||
      Number(b.value > a.value) - Number(a.value > b.value) ||
      byBytes(a.values, b.values),
  );
  const end = query.offset + query.limit;
  return {
    rows: sorted.slice(query.offset, end).map(({ values, ...row }) => ({
      ...row,
      dimensions: Object.fromEntries(query.by.map((each, index) => [each, values[index]])),
    })),
    total: sorted.reduce((sum, { value }) => sum + value, 0n),
    ...(sorted.length > end && { nextOffset: end }),
  };
}

function byBytes(a: readonly (string | null)[], b: readonly (string | null)[]): number {
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? null;
    const order =
      value === null || other === null
        ? Number(value !== null) - Number(other !== null)
        : Buffer.compare(Buffer.from(value), Buffer.from(other));
    if (order !== 0) return order;
  }
  return 0;
}

function accountOnly(values: Counted['dimensions']): Counted['dimensions'] {
  return defined({ org: values.org, arch: values.arch });
}

function defined(values: { [D in Dimension]?: string | undefined }): Counted['dimensions'] {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}
