import { systemClock } from '../../../base/index.ts';
import type { KeyedEvents, SettledClaims, Store } from '../../../store/index.ts';
import { delivered } from '../../../store/testing/delivered.ts';
import { openTestRedisStore, untilAgreed, untilDelivering, type TestStoreOptions } from '../../testing/redis-store.ts';
import { voidCell } from '../../../usage/index.ts';

/** Opens a store that shares its events with others through the Redis at `url`. */
export function openShared(url: string, file: string, overrides: TestStoreOptions = {}): Promise<Store> {
  return openTestRedisStore(url, file, { shared: true, ...overrides });
}

/** An event of a test: its number as identity, and what it counts; or, for a void, the number of its target. */
export type Sent = { readonly id: number } & (
  { readonly counts: KeyedEvents['cells'][number] & { readonly quantity: number } } | { readonly voids: number }
);

/** One of several instances, in steps: it receives events, claims them, and settles the claims. */
export class Instance {
  readonly #open: () => Promise<Store>;
  #store: Store | undefined;
  #number = 0;
  #answered: SettledClaims | undefined;

  constructor(url: string, file: string, overrides: TestStoreOptions = {}) {
    this.#open = () => openShared(url, file, overrides);
  }

  get store(): Store {
    if (!this.#store) throw new Error('the instance is not open');
    return this.#store;
  }

  /** Opens the instance, or opens it again: answers to claims that it has not settled are lost. */
  async open(): Promise<void> {
    await this.#store?.close();
    this.#answered = undefined;
    this.#store = await this.#open();
    this.#number = this.#store.journal.lastBatch;
    await Promise.all([untilAgreed(this.#store), untilDelivering(this.#store)]);
  }

  async close(): Promise<void> {
    await this.#store?.close();
    this.#store = undefined;
  }

  /** Commits events. `dayMax`: the limit of each organisation per day. Resolves to the outcomes. */
  async send(events: readonly Sent[], dayMax?: number): Promise<readonly number[]> {
    const keyed = packed(events);
    const limited =
      dayMax === undefined ? keyed : { ...keyed, dayMax: new Float64Array(keyed.cells.length).fill(dayMax) };
    const { outcomes } = await this.#commit({ keyed: limited });
    return [...(outcomes ?? [])];
  }

  /** Claims at most `max` pending events, and keeps the answer for `settle`. */
  async claim(max = 1_000): Promise<void> {
    const request = await this.store.journal.pending?.read(max);
    this.#answered = request && (await this.store.shared?.claim(request));
  }

  /** Commits the answer of the last claim. */
  async settle(): Promise<SettledClaims | undefined> {
    const claims = this.#answered;
    this.#answered = undefined;
    if (claims) await this.#commit({ claims });
    return claims;
  }

  /** Claims and settles all pending events, and delivers them to Redis. */
  async finish(): Promise<void> {
    while ((this.store.journal.pending?.events ?? 0) > 0) {
      await this.claim();
      await this.settle();
    }
    await delivered(this.store);
  }

  #commit(batch: { readonly keyed?: KeyedEvents; readonly claims?: SettledClaims }) {
    return this.store.journal.commit({ number: ++this.#number, at: systemClock.now(), increments: [], ...batch });
  }
}

function packed(events: readonly Sent[]): KeyedEvents {
  const keys = new Uint32Array(events.length * 4);
  const targets: number[] = [];
  const cells: KeyedEvents['cells'][number][] = [];
  const cellOf = new Uint32Array(events.length);
  const quantities = new Float64Array(events.length);
  for (const [index, event] of events.entries()) {
    keys.set(wordsOf(event.id), index * 4);
    if ('voids' in event) {
      targets.push(...wordsOf(event.voids));
      cellOf[index] = voidCell;
      continue;
    }
    cellOf[index] = cells.push(event.counts) - 1;
    quantities[index] = event.counts.quantity;
  }
  return {
    keys: new Uint8Array(keys.buffer),
    cells,
    cellOf,
    quantities,
    targets: new Uint8Array(Uint32Array.from(targets).buffer),
  };
}

function wordsOf(id: number): readonly number[] {
  // Many ids share the first word, as happens among millions of real keys.
  return [id % 1_000, id, 7, (id * 31) >>> 0];
}
