import { join } from 'node:path';
import { expect, test } from 'vitest';
import { limits, systemClock } from '../base/index.ts';
import { MetricSet } from '../metric/index.ts';
import { openTestRedisStore } from '../redis-totals/testing/redis-store.ts';
import type { Store } from '../store/index.ts';
import { parseUsageQuery, type UsageEvent } from '../usage/index.ts';
import { scaled } from '../../test/support/long.ts';
import { eventually } from '../../test/support/redis.ts';
import { suiteRedis } from '../../test/support/redis-suite.ts';
import type { Ledger } from './index.ts';
import { openTestLedger, ownStore } from './testing/fixture.ts';

const redis = suiteRedis();
const own = ownStore();

/** The expected state of an event: whether it was added, and whether it was voided. */
interface Known {
  readonly event: UsageEvent;
  readonly isAdded: boolean;
  isVoid: boolean;
}

/** A store that can be closed and opened again. */
interface Place {
  /** `shared`: events are claimed among instances before they count. */
  open(shared: boolean): Promise<Store>;
  close(store: Store): Promise<void>;
}

const orgs = ['a.example', 'b.example', 'c.example'];

/** Sends events and voids to a ledger, and computes the expected totals. */
class Sender {
  readonly #place: Place;
  readonly #random: () => number;
  readonly #known: Known[] = [];
  readonly #broken = new Set<string>();
  #store: Store | undefined;
  #ledger: Ledger | undefined;
  #next = 0;

  constructor(place: Place, random: () => number) {
    this.#place = place;
    this.#random = random;
  }

  async open(shared: boolean): Promise<void> {
    await this.close();
    this.#store = await this.#place.open(shared);
    this.#ledger = await openTestLedger(this.#store, {
      metrics: new MetricSet(),
      dimensions: ['org', 'arch', 'repository'],
    });
    if (shared) await eventually('events are taken', () => this.#ledger?.status().claiming?.isReady === true);
  }

  async close(): Promise<void> {
    await this.#ledger?.close(limits.ledgerCloseMsMax);
    if (this.#store) await this.#place.close(this.#store);
    this.#ledger = this.#store = undefined;
  }

  /** Makes Redis reject all changes of `org`, or accept them again. */
  async toggle(org: string): Promise<void> {
    await this.#untilCounted();
    const field = `builds/o/${org}`;
    if (this.#broken.delete(org)) {
      const held = await redis.server.cli('hget', 'kept', field);
      await redis.server.cli(...(held === '' ? ['hdel', 'metrics/v1', field] : ['hset', 'metrics/v1', field, held]));
      return;
    }
    this.#broken.add(org);
    await redis.server.cli('hset', 'kept', field, await redis.server.cli('hget', 'metrics/v1', field));
    await redis.server.cli('hset', 'metrics/v1', field, 'no number');
  }

  /** Sends some events in one request, possibly with their voids. */
  async add(): Promise<void> {
    await this.#untilCounted();
    const events = Array.from({ length: 1 + this.#below(4) }, () => this.#event());
    const voids = events.filter(() => this.#below(6) === 0).map((event) => this.#voidOf(event));
    await this.ledger.ingest([...events, ...voids]);
    for (const event of events) {
      const isAdded = !this.#broken.has(event.dimensions.org ?? '');
      this.#known.push({ event, isAdded, isVoid: voids.some(({ target }) => target.id === event.id) });
    }
  }

  /** Voids some events, sent or still to come, among those that Redis can take back now. */
  async void(): Promise<void> {
    await this.#untilCounted();
    const targets = this.#known.filter(({ event: { dimensions } }) => !this.#broken.has(dimensions.org ?? ''));
    const chosen = targets.filter(() => this.#below(3) === 0);
    if (chosen.length > 0) await this.ledger.ingest(chosen.map(({ event }) => this.#voidOf(event)));
    for (const one of chosen) one.isVoid = true;
  }

  async voidBefore(): Promise<void> {
    const event = this.#event();
    await this.ledger.ingest([this.#voidOf(event)]);
    await this.ledger.ingest([event]);
    this.#known.push({ event, isAdded: false, isVoid: true });
  }

  /** Repeats earlier events. */
  async resend(): Promise<void> {
    const events = this.#known.filter(() => this.#below(3) === 0).map(({ event }) => event);
    if (events.length > 0) await this.ledger.ingest(events);
  }

  /** The readable totals of organisations, and the expected ones: what was added and not taken back. */
  async totals(): Promise<{ readonly found: object; readonly wanted: object }> {
    await this.#untilCounted();
    const wanted = new Map<string, bigint>();
    for (const { event, isAdded, isVoid } of this.#known) {
      const { org = '' } = event.dimensions;
      if (isAdded && !isVoid && !this.#broken.has(org)) wanted.set(org, (wanted.get(org) ?? 0n) + event.quantity);
    }
    const { rows } = await this.ledger.query(parseUsageQuery('builds', { by: 'org' }));
    const found = new Map(rows.map(({ dimensions, value }) => [String(dimensions.org), value]));
    for (const org of this.#broken) found.delete(org);
    return { found, wanted };
  }

  get ledger(): Ledger {
    if (!this.#ledger) throw new Error('the ledger is open');
    return this.#ledger;
  }

  async #untilCounted(): Promise<void> {
    await eventually('all is counted', () => {
      const { delivery, claiming } = this.ledger.status();
      return (delivery?.waiting ?? 0) === 0 && (claiming?.events ?? 0) === 0;
    });
  }

  #event(): UsageEvent {
    const id = `event-${this.#next++}`;
    const dimensions = { org: orgs[this.#below(orgs.length)] ?? '', arch: 'amd64', repository: `r${this.#below(3)}` };
    const quantity = BigInt(1 + this.#below(9));
    return { kind: 'usage', source: 'test', id, meter: 'builds', time: systemClock.now(), quantity, dimensions };
  }

  #voidOf({ source, id }: UsageEvent) {
    return {
      kind: 'void',
      source,
      id: `void-${this.#next++}`,
      time: systemClock.now(),
      target: { source, id },
    } as const;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}

/** Numbers below 1, the same in each run. */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

async function run(place: Place, nemeses: readonly ('change' | 'break')[]): Promise<void> {
  const seed = scaled(11, 12);
  const random = numbers(seed);
  const sender = new Sender(place, random);
  let shared = false;
  await sender.open(shared);
  for (let turn = 0; turn < scaled(30, 300); turn++) {
    const choice = Math.floor(random() * 12);
    const org = orgs[Math.floor(random() * orgs.length)] ?? '';
    if (choice < 4) await sender.add();
    else if (choice < 6) await sender.void();
    else if (choice === 6) await sender.voidBefore();
    else if (choice === 7) await sender.resend();
    else if (choice < 10 && nemeses.includes('break')) await sender.toggle(org);
    else {
      shared = nemeses.includes('change') && !shared;
      await sender.open(shared);
    }
    const { found, wanted } = await sender.totals();
    expect(found, `seed ${seed}, turn ${turn}`).toEqual(wanted);
  }
  await sender.close();
}

test('a void takes back what its event added, across restarts (embedded)', () =>
  run({ open: () => own.reopen().then(() => own.store), close: () => Promise.resolve() }, []));

test('a void takes back what its event added, whatever Redis rejected and however usage.dedupe changed in between', () => {
  const file = join(redis.directory, 'ledger.sqlite');
  const open = (shared: boolean) => openTestRedisStore(redis.server.url, file, { shared });
  return run({ open, close: (store) => store.close() }, ['change', 'break']);
});
