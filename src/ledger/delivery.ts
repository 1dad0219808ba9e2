import { setTimeout as pause } from 'node:timers/promises';
import { limits, messageOf, TonnageError, type Clock, type Log } from '../base/index.ts';
import type { Outbox, RemoteTotals } from '../store/index.ts';
import type { Day } from '../usage/index.ts';
import { Pauses, retryPauseMs } from './retry.ts';

/** How often the log says at most that the store could not add something. */
const rejectedLogEveryMs = 60_000;

/** How often a closing ledger looks whether all is delivered. */
const closePollMs = 10;

export interface DeliveryOptions {
  readonly outbox: Outbox;
  readonly remote: RemoteTotals;
  /** Number of the last batch that is committed. */
  readonly lastBatch: number;
  readonly clock: Clock;
  readonly log: Log;
  /** How long delivered batches are kept (milliseconds), and how many bytes of them. */
  readonly keepMs?: number;
  readonly keepBytes?: number;
  /** Told how many changes of a delivery the store has noted instead of making them. */
  readonly onRejected?: (changes: number) => void;
}

/** How a delivery is doing. */
export interface DeliveryStatus {
  /** Batches that are committed and not known to be delivered. */
  readonly waiting: number;
  /** How long the oldest of them has waited, in milliseconds; 0 when none does. */
  readonly ageMs: number;
  readonly bytes: number;
  /** Why nothing gets through; absent while all is well. */
  readonly failure?: string;
}

/**
 * Brings committed batches to the store that has the totals: each as soon as it is committed and the one before it has
 * been delivered, several at a time where they have piled up. The store keeps the number of the last one, in the
 * same step as what it counts, so a delivery that is tried again adds nothing; and when it has lost some (a failover,
 * a restart), it says so by that number, and is given them again out of what is kept.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #pauses = new Pauses();
  #last: number;
  #delivered: number;
  /** Whether the store has been asked what it has. */
  #positioned = false;
  #oldestAt: number | undefined;
  #failure: string | undefined;
  #failures = 0;
  /** While batches are delivered again: from which one on, and up to where it had been. */
  #again: { began?: number | undefined; readonly until: number } | undefined;
  #trimmedAt = -Infinity;
  /** Changes that the store could not make, and the log has not told yet. */
  #rejected = 0;
  #rejectedToldAt = -Infinity;
  #detailsFrom: Day | undefined;
  #wake: (() => void) | undefined;
  #closed = false;
  #running: Promise<void> | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#last = options.lastBatch;
    this.#delivered = options.outbox.status().delivered;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** A batch has been committed. */
  notify(number: number): void {
    if (this.#delivered >= this.#last) this.#oldestAt = this.#options.clock.now();
    this.#last = number;
    this.#wake?.();
  }

  /** Drops the details of days before `day` at the store, a few at a time, behind the deliveries. */
  tidy(day: Day): void {
    this.#detailsFrom = day;
    this.#wake?.();
  }

  status(): DeliveryStatus {
    const failure = this.#failure ?? this.#options.remote.failure;
    const waiting = Math.max(0, this.#last - this.#delivered);
    const since = this.#oldestAt ?? this.#options.clock.now();
    return {
      waiting,
      ageMs: waiting === 0 ? 0 : Math.max(0, this.#options.clock.now() - since),
      bytes: this.#options.outbox.status().bytes,
      ...(failure !== undefined && { failure }),
    };
  }

  /**
   * Ends after what is under way, and once all is delivered where that takes no longer than `waitMs`. What has not been
   * delivered is in the outbox, and goes out after the next start.
   */
  async close(waitMs: number): Promise<void> {
    const { clock } = this.#options;
    const end = clock.monotonic() + waitMs;
    while (this.status().waiting > 0 && this.#failure === undefined && clock.monotonic() < end)
      await pause(closePollMs);
    this.#closed = true;
    this.#pauses.hurry();
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    if (this.#delivered < this.#last) this.#oldestAt = await this.#readOldest();
    while (!this.#closed) {
      try {
        if (!this.#positioned) await this.#askPosition();
        const idle = await this.#deliverSome();
        this.#noteSuccess();
        await this.#trim();
        await this.#forgetDetails();
        if (idle) await this.#sleep();
      } catch (error) {
        this.#noteFailure(error);
        await this.#pauses.sleep(retryPauseMs(this.#failures, limits.deliveryRetryMsMax));
      }
    }
  }

  async #askPosition(): Promise<void> {
    const kept = await this.#options.remote.position();
    if (kept > this.#last) {
      throw new TonnageError(
        'ledger_gap',
        `the store has batch ${kept} of this ledger, whose own last one is ${this.#last}: it was restored from a backup; ` +
          'stop it and run tonnage ledger rebuild',
      );
    }
    this.#delivered = kept;
    this.#positioned = true;
  }

  async #readOldest(): Promise<number | undefined> {
    const [oldest] = await this.#options.outbox.read(this.#delivered, 1).catch(() => []);
    return oldest?.at;
  }

  /** Delivers the next batches; answers whether there was nothing to deliver. */
  async #deliverSome(): Promise<boolean> {
    const { outbox, remote } = this.#options;
    const committed = this.#last;
    const batches = await outbox.read(this.#delivered, limits.deliveredBatchesMax);
    this.#oldestAt = batches[0]?.at;
    const last = batches.at(-1)?.number;
    if (last === undefined) {
      if (this.#delivered < committed) throw this.#gap(this.#delivered);
      return true;
    }
    if (this.#again) this.#again.began ??= batches[0]?.number;
    const result = await remote.deliver(batches);
    if (result.kind === 'rewind') {
      this.#rewind(result.to, last);
      return false;
    }
    this.#noteRejected(result.rejected);
    this.#delivered = last;
    if (this.#again && last >= this.#again.until) this.#again = undefined;
    return false;
  }

  /**
   * The store misses what came after batch `to`. Where the outbox begins later, the missing batches may have had nothing to
   * do with what is missed; only when it says so again, after all that is kept was delivered anew, is it certain that
   * they had.
   */
  #rewind(to: number, last: number): void {
    const { log, outbox } = this.#options;
    const first = outbox.status().first ?? this.#last + 1;
    const began = this.#again?.began;
    if (to < first - 1 && began !== undefined && began <= first) throw this.#gap(to);
    log.warn({ from: this.#delivered, to }, 'the store has lost batches that it had; they are delivered again');
    this.#again = { until: Math.max(last, this.#again?.until ?? 0) };
    this.#delivered = to;
  }

  #gap(after: number): TonnageError {
    const { first } = this.#options.outbox.status();
    const kept = first === undefined ? 'has none of them any more' : `has them only from ${first} on`;
    return new TonnageError(
      'ledger_gap',
      `the store misses batches of this ledger after ${after}, and the outbox ${kept}; stop it and run tonnage ledger rebuild`,
    );
  }

  async #trim(): Promise<void> {
    const { clock, outbox, remote, keepMs = limits.outboxKeepMs, keepBytes = limits.outboxKeepBytes } = this.#options;
    const now = clock.monotonic();
    const { bytes } = outbox.status();
    if (now - this.#trimmedAt < limits.outboxTrimEveryMs && bytes <= keepBytes) return;
    this.#trimmedAt = now;
    const before = clock.now() - keepMs;
    await outbox.trim({ delivered: this.#delivered, confirmed: remote.confirmed, before, bytesMax: keepBytes });
  }

  async #forgetDetails(): Promise<void> {
    if (this.#detailsFrom === undefined) return;
    const more = await this.#options.remote.forgetDetails(this.#detailsFrom);
    if (!more) this.#detailsFrom = undefined;
  }

  async #sleep(): Promise<void> {
    if (this.#closed || this.#delivered < this.#last || this.#detailsFrom !== undefined) return;
    await new Promise<void>((resolve) => {
      // Also without a new batch it looks again now and then: the store may have lost what it had.
      const timer = setTimeout(resolve, limits.outboxTrimEveryMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
    if (this.#delivered === this.#last) this.#positioned = false;
  }

  /** One field that is bad may be in every delivery: the log tells the sum now and then. */
  #noteRejected(changes: number): void {
    if (changes === 0) return;
    const { clock, log, onRejected } = this.#options;
    onRejected?.(changes);
    this.#rejected += changes;
    if (clock.monotonic() - this.#rejectedToldAt < rejectedLogEveryMs) return;
    log.error(
      { changes: this.#rejected },
      'the store could not make these changes, since a field there holds no integer or would leave the range of 64 bits; ' +
        'they stand in its list of rejected ones',
    );
    this.#rejected = 0;
    this.#rejectedToldAt = clock.monotonic();
  }

  #noteSuccess(): void {
    if (this.#failures > 0) this.#options.log.info({}, 'batches are delivered to the store again; nothing was lost');
    this.#failures = 0;
    this.#failure = undefined;
  }

  #noteFailure(error: unknown): void {
    const failure = messageOf(error);
    this.#failures++;
    this.#positioned = false;
    if (failure === this.#failure) return;
    this.#failure = failure;
    this.#options.log.error(
      { error: failure, ...this.status() },
      'batches cannot be delivered to the store; they are kept in the outbox, and it tries again',
    );
  }
}
