import { assert, limits, messageOf, TonnageError, type Clock, type Log } from '../../base/index.ts';
import type { Day } from '../../usage/index.ts';
import type {
  BatchHistory,
  BatchId,
  Delivered,
  OutboxBatch,
  OwnCounts,
  RebuildProgress,
  Rebuilt,
} from '../../store/index.ts';
import { keptBatch } from '../history.ts';
import { detailKeys } from '../layout.ts';
import type { RedisLink } from '../../redis-link/index.ts';
import type { TagRun } from './changes.ts';
import { deliverBatches } from './deliver.ts';
import { eraseNames } from './erase.ts';
import { StoreGuard } from './guard.ts';
import { rebuild } from './rebuild.ts';
import { RecentTags } from './recent-tags.ts';
import { Replicas } from './replicas.ts';
import { dropScript } from './scripts.ts';

export interface RedisWriterOptions {
  readonly link: RedisLink;
  /** Identity of the ledger whose batches these are. */
  readonly ledgerId: string;
  /** All batches of this ledger that can be delivered. */
  readonly history: BatchHistory;
  readonly clock: Clock;
  readonly log: Log;
  /** `store.allowEviction`: deliver also to a Redis that throws data away when its memory is full. */
  readonly allowEviction: boolean;
  /** `usage.dedupe` is `shared`: that other ledgers count into the same Redis is meant. */
  readonly shared: boolean;
  /** Replicas that must have a batch before it counts as confirmed; 0: none is ever confirmed. */
  readonly minReplicas: number;
  /** The first day whose details are kept, as of now. */
  readonly detailsFrom: () => Day;
}

/** The side of a Redis that is written: by one ledger, its batches in order, each once. */
export interface RedisWriter {
  /**
   * Number of the last batch of this ledger that is there, with all before it. Rejects with `ForkedHistory`, with `ledger_gap`
   * when the outbox no longer holds what Redis misses, with `store_rebuilding`, or the link's errors.
   */
  position(): Promise<number>;
  /**
   * Applies batches (in order, without a gap), each once however often it is delivered. Rejects with `redis_unavailable`
   * and `redis_refused` (some of it may have been applied; deliver it again), `store_evicts`, `store_invalid` (a key has
   * another type than it must have; nothing of its slot was applied), `store_rebuilding`, and with `ledger_gap` as `position`.
   */
  deliver(batches: readonly OutboxBatch[]): Promise<Delivered>;
  /** Number of the last delivered batch that `minReplicas` replicas have; 0 while that is not known. */
  readonly confirmed: number;
  /** Why nothing can be delivered; absent while all is well. */
  readonly failure: string | undefined;
  /** Deletes this ledger's details of a day that lies before `detailsFrom`. Totals stay. */
  dropDetails(meter: string, day: Day): Promise<void>;
  /** Makes Redis hold what `own` says, up to `batch`, and leaves alone what others have counted (`rebuild.ts`). */
  rebuild(own: OwnCounts, batch: BatchId, onProgress?: (progress: RebuildProgress) => void): Promise<Rebuilt>;
  /** Deletes what Redis still has under an organisation in the sums of these meters, whoever counted it (`erase.ts`). */
  eraseNames(org: string, meters: readonly string[]): Promise<void>;
}

/** A writer over a link, which stays the caller's to close. */
export function createRedisWriter(options: RedisWriterOptions): RedisWriter {
  return new LinkedWriter(options);
}

class LinkedWriter implements RedisWriter {
  readonly #options: RedisWriterOptions;
  readonly #guard: StoreGuard;
  readonly #replicas: Replicas;
  readonly #recent = new RecentTags(limits.deliveredTagsMax);
  #hasRemembered = false;
  /** Details were missing when they were last asked for. */
  #hasLost = false;
  #failure: string | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: RedisWriterOptions) {
    this.#options = options;
    this.#guard = new StoreGuard(options);
    this.#replicas = new Replicas(options);
  }

  get confirmed(): number {
    return this.#replicas.confirmed;
  }

  get failure(): string | undefined {
    return this.#failure ?? this.#options.link.status.failure;
  }

  position(): Promise<number> {
    return this.#alone(async () => {
      const { link, ledgerId, history } = this.#options;
      const hasAsked = await this.#guard.check();
      const { number } = await keptBatch(link, ledgerId, history);
      await this.#rememberDetails(number);
      const lost = hasAsked || this.#hasLost ? await this.#lost() : undefined;
      const position = Math.min(number, lost ?? number);
      this.#replicas.rewind(position);
      return position;
    });
  }

  deliver(batches: readonly OutboxBatch[]): Promise<Delivered> {
    for (const [index, { number }] of batches.entries()) {
      assert(number === (batches[0]?.number ?? 0) + index, 'batches are delivered in order, without a gap');
    }
    return this.#alone(async () => {
      const { link, ledgerId, detailsFrom, history } = this.#options;
      const lost = (await this.#guard.check()) ? await this.#lost() : undefined;
      const isMissing = lost !== undefined && lost < (batches[0]?.number ?? 0) - 1;
      const delivered: Delivered = isMissing
        ? { kind: 'rewind', to: lost }
        : await deliverBatches(batches, { link, ledgerId, detailsFrom, history, onWritten: this.#wrote });
      if (delivered.kind === 'rewind') this.#replicas.rewind(delivered.to);
      else await this.#replicas.confirm(batches.at(-1)?.number ?? 0);
      return delivered;
    });
  }

  dropDetails(meter: string, day: Day): Promise<void> {
    const { link, ledgerId, detailsFrom } = this.#options;
    assert(day < detailsFrom(), 'only details that are no longer delivered are dropped');
    return this.#alone(async () => void (await link.script(dropScript, detailKeys(meter, day, ledgerId), [ledgerId])));
  }

  rebuild(own: OwnCounts, batch: BatchId, onProgress?: (progress: RebuildProgress) => void): Promise<Rebuilt> {
    return this.#alone(async () => {
      await this.#guard.check();
      const { link, ledgerId, detailsFrom } = this.#options;
      return rebuild({ link, ledgerId, detailsFrom: detailsFrom(), batch, ...(onProgress && { onProgress }) }, own);
    });
  }

  eraseNames(org: string, meters: readonly string[]): Promise<void> {
    return this.#alone(() => eraseNames(this.#options.link, org, meters));
  }

  /** After which batch to deliver again because of details that Redis has lost; undefined while all are there. */
  async #lost(): Promise<number | undefined> {
    const { link, ledgerId, history, detailsFrom } = this.#options;
    const lost = await this.#recent.lost(link, ledgerId, history, detailsFrom());
    this.#hasLost = lost !== undefined;
    return lost;
  }

  /** Details that were delivered before this process began, up to batch `number`, may have been lost since. */
  async #rememberDetails(number: number): Promise<void> {
    if (this.#hasRemembered) return;
    const { history, detailsFrom } = this.#options;
    for (const touched of await history.touchedAsOf(detailsFrom(), number)) this.#recent.wrote(touched);
    this.#hasRemembered = true;
  }

  readonly #wrote = ({ numbersKey: key, detail }: TagRun, batch: BatchId): void => {
    this.#replicas.wrote(key);
    if (detail) this.#recent.wrote({ ...detail, batch });
  };

  /** One thing at a time: a day's details do not leave while a batch for them is on its way. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(() => this.#watched(work));
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #watched<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      this.#failure = undefined;
      return result;
    } catch (error) {
      // Whoever answers next may be another server.
      if (error instanceof TonnageError) this.#guard.forget();
      this.#failure = messageOf(error);
      throw error;
    }
  }
}
