import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  dimensions,
  distinctDimensions,
  parseDay,
  type Increment,
  type UsageQuery,
  type UsageRow,
} from '../usage/index.ts';
import { delivered } from './testing/delivered.ts';
import { eventConformance, modelTestMsMax } from './testing/event-conformance.ts';
import type { StoreFixture } from './testing/fixture.ts';
import { answerOfModel } from './testing/rows-model.ts';
import { StorePool } from './testing/store-pool.ts';

const day = (text: string): number => parseDay(text) ?? Number.NaN;
const today = day('2026-11-21');
const at = 0;
const everything = {
  meter: 'pulls',
  window: 'total',
  by: [],
  where: {},
  limit: 10_000,
  offset: 0,
} satisfies UsageQuery;

function increment(text: string, quantity: bigint, values: Increment['dimensions'], meter = 'pulls'): Increment {
  return { meter, day: day(text), quantity, dimensions: values };
}

/** The contract of `Store`, as tests: each driver's own test file calls this once. `cases`: of each test by a model. */
export function storeConformance(fixture: StoreFixture, cases: number): void {
  eventConformance(fixture, cases);

  test('a batch is in the totals once its commit has resolved, and after opening again', async () => {
    const { store, reopen } = await fixture.open();
    await store.journal.commit({
      number: 1,
      at,
      increments: [increment('2026-11-20', 2n, { org: 'a.org', arch: 'amd64' })],
    });
    await delivered(store);
    expect((await store.totals.query(everything, today)).total).toBe(2n);
    await store.close();
    const again = await reopen();
    expect(again.journal.lastBatch).toBe(1);
    expect(again.journal.ledgerId).toBe(store.journal.ledgerId);
    expect((await again.totals.query(everything, today)).total).toBe(2n);
    await again.close();
  });

  test('a batch handed in again is not counted again; one that skips a number is refused whole', async () => {
    const { store } = await fixture.open();
    const one = { number: 1, at, increments: [increment('2026-11-20', 1n, { org: 'a.org' })] };
    await store.journal.commit(one);
    await delivered(store);
    await store.journal.commit(one);
    await delivered(store);
    await expect(store.journal.commit({ ...one, number: 3 })).rejects.toMatchObject({ code: 'ledger_gap' });
    expect((await store.totals.query(everything, today)).total).toBe(1n);
    await store.journal.commit({ ...one, number: 2 });
    await delivered(store);
    expect((await store.totals.query(everything, today)).total).toBe(2n);
    await store.close();
  });

  test('an open range reaches from the first day with data to the current day', async () => {
    const { store } = await fixture.open();
    expect(await store.totals.query(everything, today)).toEqual({
      from: today,
      to: today + 1,
      rows: [],
      total: 0n,
    });
    await store.journal.commit({
      number: 1,
      at,
      increments: [
        increment('2025-01-31', 1n, {}),
        increment('2024-06-01', 5n, {}, 'fusion'),
        increment('2026-11-22', 7n, {}),
      ],
    });
    await delivered(store);
    expect(await store.totals.query(everything, today)).toEqual({
      from: day('2025-01-31'),
      to: today + 1,
      rows: [{ dimensions: {}, value: 1n }],
      total: 1n,
    });
    await store.close();
  });

  test('pages follow each other without a gap, and the total covers all of them', async () => {
    const { store } = await fixture.open();
    const increments = Array.from({ length: 25 }, (_, index) =>
      increment('2026-11-20', BigInt(1 + (index % 7)), { repository: `r${String(index).padStart(2, '0')}` }),
    );
    await store.journal.commit({ number: 1, at, increments });
    await delivered(store);
    const query: UsageQuery = { ...everything, by: ['repository'], limit: 10 };
    const whole = await store.totals.query({ ...query, limit: 100 }, today);
    const pages: UsageRow[] = [];
    for (let offset: number | undefined = 0; offset !== undefined;) {
      const page = await store.totals.query({ ...query, offset }, today);
      expect(page.total).toBe(whole.total);
      pages.push(...page.rows);
      offset = page.nextOffset;
    }
    expect(pages).toEqual(whole.rows);
    expect((await store.totals.query({ ...query, offset: 1_000 }, today)).total).toBe(whole.total);
    await store.close();
  });

  test('different users are counted in each row, and in the row of the others each once', async () => {
    const { store } = await fixture.open();
    const pull = (repository: string, quantity: bigint, user?: string): Increment =>
      increment('2026-11-20', quantity, { repository, ...(user !== undefined && { user }) });
    await store.journal.commit({
      number: 1,
      at,
      increments: [
        pull('a', 9n, 'u1'),
        pull('a', 1n, 'u2'),
        pull('b', 5n, 'u3'),
        pull('b', 1n),
        pull('c', 2n, 'u3'),
        pull('c', 1n, '__other__'),
        pull('d', 1n),
      ],
    });
    await delivered(store);
    const query: UsageQuery = { ...everything, by: ['repository'], distinct: 'user' };
    const of = (repository: string | null, value: bigint, distinct: number) => ({
      dimensions: { repository },
      value,
      distinct,
    });
    const all = await store.totals.query(query, today);
    expect(all.rows).toEqual([of('a', 10n, 2), of('b', 6n, 1), of('c', 3n, 2), of('d', 1n, 0)]);
    expect(all.folded).toEqual(['user']);
    const top = await store.totals.query({ ...query, top: 1 }, today);
    expect(top).toMatchObject({ rows: [of('a', 10n, 2), { ...of(null, 10n, 2), other: true }], total: 20n });
    const whole = await store.totals.query({ ...query, by: [] }, today);
    expect(whole.rows).toEqual([{ dimensions: {}, value: 20n, distinct: 4 }]);
    await store.close();
  });

  test('of days whose details are gone no users are told apart, and the answer says so', async () => {
    const { store } = await fixture.open();
    const increments = ['2020-01-01', '2020-01-02', '2026-11-20'].map((on) =>
      increment(on, 2n, { org: 'a.org', user: on }),
    );
    await store.journal.commit({ number: 1, at, increments });
    await delivered(store);
    const kept = day('2020-01-03');
    while (await store.journal.tidy({ keys: 0, details: kept }));
    while (await store.remote?.forgetDetails(kept));
    const query: UsageQuery = { ...everything, by: ['org'], distinct: 'user' };
    expect(await store.totals.query(query, today)).toMatchObject({
      rows: [{ dimensions: { org: 'a.org' }, value: 6n, distinct: 1 }],
      folded: ['user'],
    });
    const recent = await store.totals.query({ ...query, from: day('2026-11-01') }, today);
    expect(recent.rows).toEqual([{ dimensions: { org: 'a.org' }, value: 2n, distinct: 1 }]);
    expect(recent).not.toHaveProperty('folded');
    await store.close();
  });

  test('accounts are the sums by meter, organisation and architecture over all days', async () => {
    const { store } = await fixture.open();
    await store.journal.commit({
      number: 1,
      at,
      increments: [
        increment('2026-11-20', 2n ** 60n, { org: 'a.org', arch: 'amd64', repository: 'x' }),
        increment('2025-11-20', 1n, { org: 'a.org', arch: 'amd64', repository: 'y' }),
        increment('2026-11-20', 3n, {}, 'fusion'),
      ],
    });
    await delivered(store);
    const accounts = await store.journal.accounts();
    expect(accounts).toHaveLength(2);
    expect(accounts).toContainEqual({
      account: { meter: 'pulls', dimensions: { org: 'a.org', arch: 'amd64' } },
      counted: 2n ** 60n + 1n,
      voided: 0n,
    });
    expect(accounts).toContainEqual({ account: { meter: 'fusion', dimensions: {} }, counted: 3n, voided: 0n });
    await store.close();
  });

  test('the values of a dimension on a day are those of that day, the oldest series first', async () => {
    const { store } = await fixture.open();
    await store.journal.commit({
      number: 1,
      at,
      increments: [
        increment('2026-11-19', 1n, { org: 'z.org' }),
        increment('2026-11-20', 1n, { org: 'b.org', arch: 'amd64' }),
        increment('2026-11-20', 1n, { org: 'a.org' }),
        increment('2026-11-20', 1n, {}),
      ],
    });
    await delivered(store);
    const [a, b] = [
      { value: 'a.org', org: 'a.org', own: true, stated: false },
      { value: 'b.org', org: 'b.org', own: true, stated: false },
    ];
    expect(await store.journal.valuesOn(day('2026-11-20'), 'org', 10)).toEqual([b, a]);
    expect(await store.journal.valuesOn(day('2026-11-20'), 'org', 1)).toEqual([b]);
    expect(await store.journal.valuesOn(day('2026-11-20'), 'arch', 10)).toEqual([{ ...b, value: 'amd64' }]);
    await store.close();
  });

  test(
    'any batches, asked any question, answer as a model in memory does',
    async () => {
      const pool = new StorePool(async () => (await fixture.open()).store);
      try {
        await fc.assert(
          fc.asyncProperty(batches, fc.array(question, { minLength: 1, maxLength: 6 }), againstModel(pool)),
          { numRuns: cases },
        );
      } finally {
        await pool.close();
      }
    },
    modelTestMsMax(cases),
  );
}

const meters = ['pulls', 'fusion', 'builds'];
const host = fc.option(fc.constantFrom('a.org', 'b.org', 'xn--nxasmq6b.org', '__other__'), { nil: undefined });
const name = fc.option(fc.constantFrom('a.org', 'b.org', "it's", 'ünïcode', ''), { nil: undefined });
const dimension = fc.constantFrom(
  ...dimensions.filter((each) => ['org', 'arch', 'upstream', 'repository', 'user'].includes(each)),
);
const anyDay = fc.integer({ min: today - 70, max: today });
const batches = fc.array(
  fc.array(
    fc.record({
      meter: fc.constantFrom('pulls', 'fusion'),
      day: anyDay,
      quantity: fc.bigInt({ min: 1n, max: 2n ** 40n }),
      dimensions: fc
        .record({ org: host, arch: host, upstream: name, repository: name, user: name, client: name })
        .map((values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))),
    }),
    { maxLength: 12 },
  ),
  { maxLength: 4 },
);
const sums: fc.Arbitrary<UsageQuery> = fc.record(
  {
    meter: fc.constantFrom(...meters),
    from: anyDay,
    to: anyDay,
    window: fc.constantFrom('total', 'day', 'month'),
    by: fc.uniqueArray(dimension, { maxLength: 3 }),
    where: fc.dictionary(dimension, fc.constantFrom('a.org', 'ünïcode', '', null), {
      maxKeys: 1,
      noNullPrototype: true,
    }),
    top: fc.integer({ min: 1, max: 4 }),
    distinct: fc.constantFrom(...distinctDimensions),
    limit: fc.constant(10_000),
    offset: fc.constant(0),
  },
  { requiredKeys: ['meter', 'window', 'by', 'where', 'limit', 'offset'] },
);

const names: fc.Arbitrary<UsageQuery> = fc.record({
  meter: fc.constantFrom(...meters),
  from: anyDay,
  window: fc.constant('total' as const),
  by: dimension.map((each) => [each]),
  where: fc.constantFrom({}, { org: 'a.org' }),
  names: fc.record(
    { prefix: fc.constantFrom('', 'a', 'ü', "it's"), after: fc.constantFrom('', 'a.org', 'b.org', '\u{10000}') },
    { requiredKeys: ['prefix'] },
  ),
  limit: fc.constant(10_000),
  offset: fc.constant(0),
});
const question = fc.oneof({ arbitrary: sums, weight: 3 }, names);

function againstModel(pool: StorePool) {
  return async (written: readonly (readonly Increment[])[], questions: readonly UsageQuery[]): Promise<void> => {
    const { store, meter, commit } = await pool.case();
    const ofCase = <T extends { readonly meter: string }>(each: T): T => ({
      ...each,
      meter: meter(meters.indexOf(each.meter)),
    });
    for (const increments of written) await commit({ increments: increments.map(ofCase) });
    for (const query of questions) {
      const answer = await store.totals.query(ofCase(query), today);
      const { rows, total } = answerOfModel(written.flat(), query, today);
      expect(answer.total).toBe(total);
      expect(answer.rows).toEqual(rows);
      // Pages of one row each, in the same order.
      const second = await store.totals.query({ ...ofCase(query), limit: 1, offset: 1 }, today);
      expect(second.rows).toEqual(rows.slice(1, 2));
    }
  };
}
