import fc from 'fast-check';
import { expect, test } from 'vitest';
import { outcome, parseDay, voidCell, type Increment, type UsageQuery } from '../../usage/index.ts';
import type { StoreFixture } from './fixture.ts';
import type { Committed, KeyedEvents, Store } from '../contract.ts';
import { delivered } from './delivered.ts';
import { StorePool } from './store-pool.ts';

const today = parseDay('2026-11-21') ?? Number.NaN;
const noon = (today + 0.5) * 86_400_000;
const dayMs = 86_400_000;
const all: UsageQuery = { meter: 'pulls', allTime: true, window: 'total', by: [], where: {}, limit: 10, offset: 0 };

/** An event as a test has it: a number for its identity, and what it counts; or which event a void takes back. */
type Sent = { readonly id: number } & (
  | { readonly counts: Omit<Increment, 'quantity'> & { readonly quantity: number }; readonly isStated?: boolean }
  | { readonly voids: number }
);

function writeKey(words: Uint32Array, index: number, id: number): void {
  // The first word is the same for many, as it will be among millions of real keys.
  words.set([id % 1_000, id, 7, id * 31], index * 4);
}

/** `dayMax`: how much each organisation may have on one day. */
function pack(events: readonly Sent[], dayMax?: number): KeyedEvents {
  const keys = new Uint32Array(events.length * 4);
  const targets = new Uint32Array(events.filter((event) => 'voids' in event).length * 4);
  const cells: KeyedEvents['cells'][number][] = [];
  const stated: number[] = [];
  const cellOf = new Uint32Array(events.length);
  const quantities = new Float64Array(events.length);
  let target = 0;
  for (const [index, event] of events.entries()) {
    writeKey(keys, index, event.id);
    if ('voids' in event) {
      writeKey(targets, target++, event.voids);
      cellOf[index] = voidCell;
      continue;
    }
    cellOf[index] = cells.push(event.counts) - 1;
    stated.push(Number(event.isStated ?? false));
    quantities[index] = event.counts.quantity;
  }
  return {
    keys: new Uint8Array(keys.buffer),
    cells,
    cellOf,
    quantities,
    targets: new Uint8Array(targets.buffer),
    stated: Uint8Array.from(stated),
    ...(dayMax !== undefined && { dayMax: new Float64Array(cells.length).fill(dayMax) }),
  };
}

function event(id: number, quantity = 1, org = 'a.org'): Sent {
  return { id, counts: { meter: 'pulls', day: today, dimensions: { org, repository: `r${id % 2}` }, quantity } };
}

/** Commits events one batch after another. */
class Sender {
  readonly store: Store;
  #number: number;

  constructor(store: Store) {
    this.store = store;
    this.#number = store.journal.lastBatch;
  }

  async send(events: readonly Sent[], at = noon, dayMax?: number): Promise<Committed> {
    const committed = await this.store.journal.commit({
      number: ++this.#number,
      at,
      increments: [],
      keyed: pack(events, dayMax),
    });
    await delivered(this.store);
    return committed;
  }

  async outcomes(events: readonly Sent[], dayMax?: number): Promise<readonly number[]> {
    return [...((await this.send(events, noon, dayMax)).outcomes ?? [])];
  }

  async total(): Promise<bigint> {
    return (await this.store.totals.query(all, today)).total;
  }
}

const { accepted, duplicate, voided, notVoidable } = outcome;

/** How long a test by a model may take, in milliseconds, where each of its commits waits for a slow disk. */
export function modelTestMsMax(cases: number): number {
  return 600_000 + cases * 300;
}

/** The contract of events with an identity, as tests. `cases`: of the test by a model. */
export function eventConformance(fixture: StoreFixture, cases: number): void {
  identityConformance(fixture);
  voidConformance(fixture);
  amountConformance(fixture);

  test(
    'any events, voids and resends in any order count as in a model in memory',
    async () => {
      const pool = new StorePool(async () => (await fixture.open()).store);
      try {
        await fc.assert(fc.asyncProperty(fc.array(sentBatch, { maxLength: 6 }), againstModel(pool)), {
          numRuns: cases,
        });
      } finally {
        await pool.close();
      }
    },
    modelTestMsMax(cases),
  );
}

function identityConformance(fixture: StoreFixture): void {
  test('an event counts once, in one batch, in two, and after opening again', async () => {
    const { store, reopen } = await fixture.open();
    const sender = new Sender(store);
    expect(await sender.outcomes([event(1), event(2), event(1)])).toEqual([accepted, accepted, duplicate]);
    expect(await sender.outcomes([event(2), event(4)])).toEqual([duplicate, accepted]);
    expect(await sender.total()).toBe(3n);
    await store.close();
    const again = new Sender(await reopen());
    expect(await again.outcomes([event(4), event(1), event(7)])).toEqual([duplicate, duplicate, accepted]);
    expect(await again.total()).toBe(4n);
    await again.store.close();
  });

  test('keys are forgotten when their time is over, and not before', async () => {
    const { store, reopen } = await fixture.open();
    const sender = new Sender(store);
    await sender.send([event(1)], noon);
    await sender.send([event(2)], noon + 10 * dayMs);
    await sender.send([event(3)], noon + 20 * dayMs);
    while (await store.journal.tidy({ keys: noon + 5 * dayMs, details: today - 400 }));
    expect(await sender.outcomes([event(1), event(2), event(3)])).toEqual([accepted, duplicate, duplicate]);
    await store.close();
    const again = new Sender(await reopen());
    expect(await again.outcomes([event(1), event(2), event(3)])).toEqual([duplicate, duplicate, duplicate]);
    await again.store.close();
  });
}

function voidConformance(fixture: StoreFixture): void {
  test('a void takes back exactly what its event added; the first one wins', async () => {
    const { store, reopen } = await fixture.open();
    const sender = new Sender(store);
    await sender.send([event(1, 5), event(2, 7)]);
    const answer = await sender.send([{ id: 10, voids: 1 }]);
    expect(answer.takenBack).toEqual([
      { meter: 'pulls', day: today, quantity: -5n, dimensions: { org: 'a.org', repository: 'r1' } },
    ]);
    expect(await sender.total()).toBe(7n);
    expect(await sender.outcomes([{ id: 10, voids: 1 }, { id: 11, voids: 1 }, event(1, 5)])).toEqual([
      duplicate,
      duplicate,
      duplicate,
    ]);
    await store.close();
    const again = new Sender(await reopen());
    expect(await again.outcomes([{ id: 12, voids: 1 }])).toEqual([duplicate]);
    expect(await again.total()).toBe(7n);
    await again.store.close();
  });

  test('a void before its event makes the event count nothing, whenever it comes', async () => {
    const { store, reopen } = await fixture.open();
    const sender = new Sender(store);
    expect(await sender.outcomes([{ id: 10, voids: 1 }, event(1)])).toEqual([accepted, voided]);
    expect(
      await sender.outcomes([
        { id: 11, voids: 1 },
        { id: 12, voids: 2 },
      ]),
    ).toEqual([duplicate, accepted]);
    await store.close();
    const again = new Sender(await reopen());
    expect(await again.outcomes([event(1), event(2), event(3)])).toEqual([voided, voided, accepted]);
    expect(await again.total()).toBe(1n);
    await again.store.close();
  });

  test('an event and its void in one batch add nothing; a void cannot be taken back', async () => {
    const { store } = await fixture.open();
    const sender = new Sender(store);
    const outcomes = await sender.outcomes([event(1, 3), { id: 10, voids: 1 }, { id: 11, voids: 10 }, event(11)]);
    expect(outcomes).toEqual([accepted, accepted, notVoidable, accepted]);
    expect(await sender.total()).toBe(1n);
    expect(await store.journal.accounts()).toEqual([
      { account: { meter: 'pulls', dimensions: { org: 'a.org' } }, counted: 4n, voided: 3n },
    ]);
    await store.close();
  });
}

function amountConformance(fixture: StoreFixture): void {
  test('many events at once: more than one run, large quantities, sums beyond 2^53', async () => {
    const { store } = await fixture.open();
    const sender = new Sender(store);
    const many = Array.from({ length: 5_000 }, (_, index) => event(100 + index, index % 7 === 0 ? 2 ** 53 - 1 : 1));
    const first = await sender.outcomes(many);
    expect(first.every((result) => result === accepted)).toBe(true);
    const large = BigInt(Math.ceil(5_000 / 7));
    const sum = large * (2n ** 53n - 1n) + 5_000n - large;
    expect(await sender.total()).toBe(sum);
    const again = await sender.outcomes([...many.toReversed(), event(1)]);
    expect(again.filter((result) => result === duplicate)).toHaveLength(5_000);
    expect(await sender.total()).toBe(sum + 1n);
    await store.close();
  });

  test('a day takes so much of an organisation, after opening again too, and apart from that what others state for it', async () => {
    const { store, reopen } = await fixture.open();
    const sender = new Sender(store);
    const { accepted, duplicate, dayLimit } = outcome;
    const [full, other] = [event(1, 90), event(2, 90, 'b.org')];
    expect(await sender.outcomes([full, event(3, 11), event(4, 10), event(5), other], 100)).toEqual([
      accepted,
      dayLimit,
      accepted,
      dayLimit,
      accepted,
    ]);
    // What is sent again is known, whatever the day has room for; what was refused may come again, and is refused again.
    expect(await sender.outcomes([full, event(5)], 100)).toEqual([duplicate, dayLimit]);
    const stated = (id: number, quantity: number): Sent => ({ ...event(id, quantity), isStated: true });
    expect(await sender.outcomes([stated(6, 100), stated(7, 1), { id: 8, voids: 4 }, event(9, 10)], 100)).toEqual([
      accepted,
      dayLimit,
      accepted,
      accepted,
    ]);
    expect(await sender.outcomes([{ id: 10, voids: 6 }, stated(11, 60)], 100)).toEqual([accepted, accepted]);

    await store.close();
    const again = new Sender(await reopen());
    expect(await again.outcomes([event(12), stated(13, 41), stated(14, 40), event(15, 10, 'b.org')], 100)).toEqual([
      dayLimit,
      dayLimit,
      accepted,
      accepted,
    ]);
    const tomorrow = { meter: 'pulls', day: today + 1, dimensions: { org: 'a.org' }, quantity: 100 };
    expect(await again.outcomes([{ id: 16, counts: tomorrow }, event(17)], 100)).toEqual([accepted, dayLimit]);
    expect(await again.total()).toBe(90n + 10n + 60n + 40n + 90n + 10n + 100n);
    await again.store.close();
  });

  test('a sum that would leave 64 bits is noted and not added; everything else is', async () => {
    const { store } = await fixture.open();
    const { journal } = store;
    const huge = { meter: 'pulls', day: today, quantity: 2n ** 63n - 5n, dimensions: { org: 'huge.org' } };
    const commit = (number: number, increments: readonly Increment[]) =>
      journal.commit({ number, at: noon, increments });
    expect((await commit(1, [huge])).rejected).toBe(0);
    const more = { ...huge, quantity: 6n };
    expect((await commit(2, [more, { ...huge, quantity: 1n, dimensions: { org: 'b.org' } }])).rejected).toBe(1);
    expect((await commit(3, [{ ...more, quantity: 5n, meter: 'fusion' }])).rejected).toBe(0);
    await delivered(store);
    const rows = await store.totals.query({ ...all, by: ['org'], where: { org: 'b.org' } }, today);
    expect(rows.total).toBe(1n);
    expect((await store.totals.query({ ...all, where: { org: 'huge.org' } }, today)).total).toBe(2n ** 63n - 5n);
    await store.close();
  });
}

const id = fc.integer({ min: 1, max: 12 });
const sentBatch = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc
        .tuple(id, fc.constantFrom('a.org', 'b.org'), fc.integer({ min: 0, max: 3 }))
        .map(([each, org, back]): Sent => ({
          id: each,
          counts: { meter: 'pulls', day: today - back, dimensions: { org }, quantity: 1 + each },
        })),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.integer({ min: 13, max: 20 }), fc.integer({ min: 1, max: 14 }))
        .map(([each, voids]): Sent => ({ id: each, voids })),
    },
  ),
  { maxLength: 8 },
);

/** What a store must make of events: nothing but maps. */
class Model {
  readonly #seen = new Map<number, Sent>();
  readonly #gone = new Set<number>();
  readonly sums = new Map<string, bigint>();

  take(sent: Sent): number {
    if ('voids' in sent) return this.#takeBack(sent.id, sent.voids);
    if (this.#seen.has(sent.id)) return duplicate;
    if (this.#gone.has(sent.id)) return voided;
    this.#seen.set(sent.id, sent);
    this.#add(sent, 1n);
    return accepted;
  }

  #takeBack(void_: number, target: number): number {
    if (this.#seen.has(void_) || this.#gone.has(void_)) return duplicate;
    const seen = this.#seen.get(target);
    if (seen && 'voids' in seen) return notVoidable;
    this.#seen.set(void_, { id: void_, voids: target });
    if (this.#gone.has(target)) return duplicate;
    this.#gone.add(target);
    if (seen) this.#add(seen, -1n);
    return accepted;
  }

  #add(sent: Sent, sign: bigint): void {
    if ('voids' in sent) return;
    const { day, dimensions, quantity } = sent.counts;
    const key = `${day} ${dimensions.org}`;
    this.sums.set(key, (this.sums.get(key) ?? 0n) + sign * BigInt(quantity));
  }
}

function againstModel(pool: StorePool) {
  return async (batches: readonly (readonly Sent[])[]): Promise<void> => {
    const { store, meter, firstId, commit } = await pool.case();
    const ofCase = (sent: Sent): Sent =>
      'voids' in sent
        ? { id: firstId + sent.id, voids: firstId + sent.voids }
        : { id: firstId + sent.id, counts: { ...sent.counts, meter: meter(0) } };
    const model = new Model();
    for (const batch of batches) {
      const { outcomes } = await commit({ at: noon, increments: [], keyed: pack(batch.map(ofCase)) });
      expect([...(outcomes ?? [])]).toEqual(batch.map((sent) => model.take(sent)));
    }
    const { allTime: _, ...ranged } = all;
    const query: UsageQuery = { ...ranged, meter: meter(0), window: 'day', by: ['org'], limit: 100 };
    const { rows } = await store.totals.query({ ...query, from: today - 10, to: today + 1 }, today);
    const counted = new Map(rows.map((row) => [`${row.from} ${row.dimensions.org}`, row.value]));
    expect(counted).toEqual(new Map([...model.sums].filter(([, value]) => value !== 0n)));
  };
}
