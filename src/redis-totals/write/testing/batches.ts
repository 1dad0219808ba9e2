import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchHistory, BatchId, Delivered, OutboxBatch } from '../../../store/index.ts';
import { parseDay, type Day, type Increment } from '../../../usage/index.ts';
import type { LedgerIncrements } from './model.ts';

export const firstDay = parseDay('2026-10-29') ?? 0;

/** Makes an increment. */
export function increment(
  meter: string,
  day: Day,
  dimensions: Increment['dimensions'],
  quantity: bigint | number = 1,
): Increment {
  return { meter, day, dimensions, quantity: BigInt(quantity) };
}

/** The token of batch `number` of a `BatchLog`. */
export function tokenOf(number: number): string {
  return number === 0 ? '' : `token-${number}`;
}

/** The history of a ledger that has every such batch and deletes none. */
export const endlessHistory: BatchHistory = {
  lookUp: (number) => Promise.resolve({ token: tokenOf(number), first: 1, last: Number.MAX_SAFE_INTEGER }),
  touchedAsOf: () => Promise.resolve([]),
};

/** A ledger's outbox in memory. It numbers batches, and finds the previous batch of each meter and day. */
export class BatchLog {
  readonly batches: OutboxBatch[] = [];
  readonly #touched = new Map<string, BatchId>();

  get last(): number {
    return this.batches.length;
  }

  get lastId(): BatchId {
    return { number: this.last, token: tokenOf(this.last) };
  }

  add(increments: readonly Increment[]): OutboxBatch {
    const number = this.batches.length + 1;
    const days = new Map(increments.map(({ meter, day }) => [`${meter} ${day}`, { meter, day }]));
    const touched = [...days].map(([key, one]) => {
      const previous = this.#touched.get(key) ?? { number: 0, token: '' };
      this.#touched.set(key, { number, token: tokenOf(number) });
      return { ...one, previous };
    });
    const tokens = { token: tokenOf(number), previousToken: tokenOf(number - 1) };
    const batch = { number, ...tokens, at: number, increments, touched };
    this.batches.push(batch);
    return batch;
  }

  /** The increments of all batches, as counts of this ledger. */
  countsOf(ledgerId = 'one'): LedgerIncrements {
    return { ledgerId, increments: this.batches.flatMap(({ increments }) => increments) };
  }

  /** At most `max` batches after batch `after`. */
  read(after: number, max = 1_000): readonly OutboxBatch[] {
    return this.batches.slice(after, after + max);
  }
}

/** A reproducible sequence of random numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const meters = ['pulls', 'fusion', 'builds', 'egress_bytes'] as const;
const orgs = [undefined, 'a.example', 'b.example', 'c.example', '__other__'] as const;
const archs = [undefined, 'amd64', 'arm64', 's390x'] as const;

/** Increments of a few days around the end of a month, at most one per cell. Some are voids. */
export function randomIncrements(random: () => number, max = 12): readonly Increment[] {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const cells = new Map<string, Increment>();
  const count = 1 + Math.floor(random() * max);
  for (let i = 0; i < count; i += 1) {
    const [org, arch] = [pick(orgs), pick(archs)];
    const dimensions = {
      ...(org !== undefined && { org }),
      ...(arch !== undefined && { arch }),
      repository: `repository-${Math.floor(random() * 4)}`,
    };
    const [meter, day] = [pick(meters), firstDay + Math.floor(random() * 5)];
    const quantity = 1 + Math.floor(random() * 9) * (random() < 0.2 ? -1 : 1);
    cells.set(JSON.stringify([meter, day, dimensions]), increment(meter, day, dimensions, quantity));
  }
  return [...cells.values()];
}

/** A log of batches, each with `randomIncrements`. */
export function randomLog(seed: number, batches: number, cellsMax?: number): BatchLog {
  const log = new BatchLog();
  const random = seeded(seed);
  for (let i = 0; i < batches; i += 1) log.add(randomIncrements(random, cellsMax));
  return log;
}

/** The part of a writer that receives batches. */
export interface Receiver {
  position(): Promise<number>;
  deliver(batches: readonly OutboxBatch[]): Promise<Delivered>;
}

/**
 * Delivers all batches of a log: asks for the position, goes back on a rewind, and retries after errors for at most
 * `waitMs`. Resolves to the number of rewinds.
 */
export async function sendAll(log: BatchLog, target: Receiver, { max = 7, waitMs = 60_000 } = {}): Promise<number> {
  const deadline = performance.now() + waitMs;
  let rewinds = 0;
  let position: number | undefined;
  for (;;) {
    try {
      position ??= await target.position();
      const batches = log.read(position, max);
      if (batches.length === 0) return rewinds;
      const delivered = await target.deliver(batches);
      if (delivered.kind === 'rewind') rewinds += 1;
      position = delivered.kind === 'rewind' ? delivered.to : position + batches.length;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(20);
    }
  }
}
