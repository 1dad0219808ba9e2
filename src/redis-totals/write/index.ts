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
import type { TagBatches } from './changes.ts';
import { deliverBatches } from './deliver.ts';
import { eraseNames } from './erase.ts';
import { StoreGuard } from './guard.ts';
import { rebuild } from './rebuild.ts';
import { RecentTags } from './recent-tags.ts';
import { Replicas } from './replicas.ts';
import { dropScript } from './scripts.ts';

export interface RedisWriterOptions {
  readonly link: RedisLink;
  /** Id of the ledger that delivers. */
  readonly ledgerId: string;
  /** The batches of this ledger's outbox. */
  readonly history: BatchHistory;
  readonly clock: Clock;
  readonly log: Log;
  /** `store.allowEviction`: deliver even if Redis may evict keys when its memory is full. */
  readonly allowEviction: boolean;
  /** `usage.dedupe` is `shared`: other ledgers may count into the same Redis without a warning. */
  readonly shared: boolean;
  /** The number of replicas that must have a batch before it is confirmed. With 0 no batch is ever confirmed. */
  readonly minReplicas: number;
  /** Returns the first day whose details are kept now. */
  readonly detailsFrom: () => Day;
}

/** Writes the batches of one ledger to Redis, in order and each once. The caller closes the link. */
export class RedisWriter {
  readonly #options: RedisWriterOptions;
  readonly #guard: StoreGuard;
  readonly #replicas: Replicas;
  readonly #recent = new RecentTags(limits.deliveredTagsMax);
  #hasRemembered = false;
  /** The last check found that Redis had lost details. */
  #hasLost = false;
  #failure: string | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: RedisWriterOptions) {
    this.#options = options;
    this.#guard = new StoreGuard(options);
    this.#replicas = new Replicas(options);
  }

  /** The number of the last delivered batch that at least `minReplicas` replicas have; 0 while that is unknown. */
  get confirmed(): number {
    return this.#replicas.confirmed;
  }

  /** Why the last call failed, or why Redis is unreachable; undefined otherwise. */
  get failure(): string | undefined {
    return this.#failure ?? this.#options.link.status.failure;
  }

  /**
   * The number of the last batch of this ledger that Redis has, with all batches before it. Rejects with
   * `ForkedHistory`, with `ledger_gap` if Redis misses batches that the outbox no longer has, with `store_rebuilding`,
   * and with the link's errors.
   */
  position(): Promise<number> {
    return this.#exclusively(async () => {
      const { link, ledgerId, history } = this.#options;
      const hasChecked = await this.#guard.check();
      const { number } = await keptBatch(link, ledgerId, history);
      await this.#rememberDetails(number);
      const lost = hasChecked || this.#hasLost ? await this.#lost() : undefined;
      const position = Math.min(number, lost ?? number);
      this.#replicas.rewind(position);
      return position;
    });
  }

  /**
   * Applies consecutive batches. Each counts once, however often it is delivered. Rejects as `position` does, and with:
   *
   * - `redis_unavailable` or `redis_refused`: a part may have been applied, so deliver the batches again;
   * - `store_evicts`: Redis may evict keys;
   * - `store_invalid`: a key has the wrong type. Nothing was written to the keys of its tag.
   */
  deliver(batches: readonly OutboxBatch[]): Promise<Delivered> {
    for (const [index, { number }] of batches.entries()) {
      assert(number === (batches[0]?.number ?? 0) + index, 'batches are delivered in order, without a gap');
    }
    return this.#exclusively(async () => {
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

  /** Deletes this ledger's details of a day before `detailsFrom`. Sums stay. */
  dropDetails(meter: string, day: Day): Promise<void> {
    const { link, ledgerId, detailsFrom } = this.#options;
    assert(day < detailsFrom(), 'only details before the first kept day are dropped');
    return this.#exclusively(
      async () => void (await link.script(dropScript, detailKeys(meter, day, ledgerId), [ledgerId])),
    );
  }

  /** Makes Redis agree with the ledger's counts up to `batch`. The counts of others stay (`rebuild.ts`). */
  rebuild(own: OwnCounts, batch: BatchId, onProgress?: (progress: RebuildProgress) => void): Promise<Rebuilt> {
    return this.#exclusively(async () => {
      await this.#guard.check();
      const { link, ledgerId, detailsFrom } = this.#options;
      return rebuild({ link, ledgerId, detailsFrom: detailsFrom(), batch, ...(onProgress && { onProgress }) }, own);
    });
  }

  /** Deletes an organisation's sums of these meters, including those that others have counted (`erase.ts`). */
  eraseNames(org: string, meters: readonly string[]): Promise<void> {
    return this.#exclusively(() => eraseNames(this.#options.link, org, meters));
  }

  /** The batch after which to deliver again, if Redis has lost details; undefined if it has all of them. */
  async #lost(): Promise<number | undefined> {
    const { link, ledgerId, history, detailsFrom } = this.#options;
    const lost = await this.#recent.lost(link, ledgerId, history, detailsFrom());
    this.#hasLost = lost !== undefined;
    return lost;
  }

  /** Redis may also have lost details that an earlier process delivered, up to batch `number`: check those too. */
  async #rememberDetails(number: number): Promise<void> {
    if (this.#hasRemembered) return;
    const { history, detailsFrom } = this.#options;
    for (const touched of await history.touchedAsOf(detailsFrom(), number)) this.#recent.wrote(touched);
    this.#hasRemembered = true;
  }

  readonly #wrote = ({ numbersKey: key, detail }: TagBatches, batch: BatchId): void => {
    this.#replicas.wrote(key);
    if (detail) this.#recent.wrote({ ...detail, batch });
  };

  /** Runs one operation at a time: a day's details must not be dropped while a batch for them is in flight. */
  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(() => this.#recordFailure(work));
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #recordFailure<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      this.#failure = undefined;
      return result;
    } catch (error) {
      // After an error the link may reach another server, which must be checked again.
      if (error instanceof TonnageError) this.#guard.invalidate();
      this.#failure = messageOf(error);
      throw error;
    }
  }
}
