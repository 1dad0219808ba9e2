import { setTimeout as pause } from 'node:timers/promises';
import {
  ForkedHistory,
  isLoss,
  limits,
  messageOf,
  TonnageError,
  WakeablePause,
  type Clock,
  type Log,
} from '../base/index.ts';
import type { LedgerGap, Outbox, OutboxBatch, RemoteTotals } from '../store/index.ts';
import type { Day } from '../usage/index.ts';
import { retryPauseMs } from './retry.ts';

/** How often the log says at most that the store could not add something. */
const rejectedLogEveryMs = 60_000;

/** How many fields one such line names at most. */
const rejectedFieldsLogged = 10;

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
  /** Called with the fields that could not take an amount, one entry for each amount that the store noted instead. */
  readonly onRejected?: (fields: readonly string[]) => void;
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
  /** The store misses data that the ledger cannot deliver again, so totals are incomplete: what, and what helps. */
  readonly gap?: string;
}

/**
 * Brings committed batches to the store that has the totals: each as soon as it is committed and the one before it has
 * been delivered, several at a time where they have piled up. The store keeps the number of the last one, in the
 * same step as what it counts, so a delivery that is tried again adds nothing; and when it has lost some (a failover,
 * a restart), it says so by that number, and is given them again out of what is kept.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #retryPause = new WakeablePause();
  readonly #idlePause = new WakeablePause();
  #last: number;
  #delivered: number;
  /** Whether the store has been asked what it has. */
  #positioned = false;
  #oldestAt: number | undefined;
  #failure: string | undefined;
  #failures = 0;
  /** The log has told of a failure, and not yet that it is over. */
  #isTroubled = false;
  /** The gap is known, and not yet in the ledger's file. */
  #isGapUnsaved = false;
  /** While batches are delivered again: up to where, and how often the store has said that it misses some. */
  #again: { readonly until: number; readonly rewinds: number } | undefined;
  #trimmedAt = -Infinity;
  /** How often each field could not take an amount, since the log last said so. */
  readonly #rejected = new Map<string, number>();
  #rejectedToldAt = -Infinity;
  #detailsFrom: Day | undefined;
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
    this.#idlePause.wake();
  }

  /** Drops the details of days before `day` at the store, a few at a time, behind the deliveries. */
  tidy(day: Day): void {
    this.#detailsFrom = day;
    this.#idlePause.wake();
  }

  status(): DeliveryStatus {
    const { gap } = this.#options.outbox;
    const failure = gap?.reason ?? this.#failure ?? this.#options.remote.failure;
    const waiting = Math.max(0, this.#last - this.#delivered);
    const since = this.#oldestAt ?? this.#options.clock.now();
    return {
      waiting,
      ageMs: waiting === 0 ? 0 : Math.max(0, this.#options.clock.now() - since),
      bytes: this.#options.outbox.status().bytes,
      ...(failure !== undefined && { failure }),
      ...(gap && { gap: gap.reason }),
    };
  }

  /**
   * Ends after what is under way, and once all is delivered where that takes no longer than `waitMs`. What has not been
   * delivered is in the outbox, and goes out after the next start.
   */
  async close(waitMs: number): Promise<void> {
    const { clock } = this.#options;
    const end = clock.monotonic() + waitMs;
    while (this.status().waiting > 0 && this.status().failure === undefined && clock.monotonic() < end)
      await pause(closePollMs);
    this.#closed = true;
    this.#retryPause.wake();
    this.#idlePause.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { outbox, log } = this.#options;
    if (this.#delivered < this.#last) this.#oldestAt = await this.#readOldest();
    if (outbox.gap) log.error({ error: outbox.gap.reason }, incomplete);
    while (!this.#closed) {
      if (outbox.gap?.isLasting) {
        if (this.#isGapUnsaved) await this.#saveGap(outbox.gap);
        await this.#pause();
        continue;
      }
      try {
        if (!this.#positioned) await this.#askPosition();
        const step = await this.#deliverSome();
        // What the store says that it misses may be gone here too, which only the next delivery shows.
        if (step === 'rewound') continue;
        await this.#noteSuccess();
        await this.#trim();
        await this.#forgetDetails();
        if (step === 'idle') await this.#sleep();
      } catch (error) {
        await this.#noteFailure(error);
        if (!this.#closed) await this.#retryPause.wait(retryPauseMs(this.#failures, limits.deliveryRetryMsMax));
      }
    }
  }

  async #askPosition(): Promise<void> {
    const kept = await this.#options.remote.position();
    // Parts of it may lack what this number does not tell: what was to be delivered again still is.
    this.#delivered = this.#again ? Math.min(kept, this.#delivered) : kept;
    this.#positioned = true;
  }

  async #readOldest(): Promise<number | undefined> {
    const [oldest] = await this.#options.outbox.read(this.#delivered, 1).catch(() => []);
    return oldest?.at;
  }

  /** Delivers the next batches. Idle: the store has all that there are. Rewound: it misses earlier ones. */
  async #deliverSome(): Promise<'delivered' | 'idle' | 'rewound'> {
    const { remote } = this.#options;
    const batches = await this.#readNext();
    const last = batches.at(-1)?.number;
    if (last === undefined) return 'idle';
    const result = await remote.deliver(batches);
    if (result.kind === 'rewind') {
      this.#rewind(result.to, last);
      return 'rewound';
    }
    this.#noteRejected(result.rejected);
    this.#delivered = last;
    if (this.#again && last >= this.#again.until) this.#again = undefined;
    return 'delivered';
  }

  /** The next batches, one right after the other; none when all are delivered. Nothing behind a hole can be delivered. */
  async #readNext(): Promise<readonly OutboxBatch[]> {
    const { outbox } = this.#options;
    const committed = this.#last;
    const batches = await outbox.read(this.#delivered, limits.deliveredBatchesMax);
    this.#oldestAt = batches[0]?.at;
    const next = batches[0]?.number ?? committed + 1;
    if (next > this.#delivered + 1) throw missing(this.#delivered + 1, next - 1);
    const hole = batches.findIndex(({ number }, index) => number !== next + index);
    return hole < 0 ? batches : batches.slice(0, hole);
  }

  /** The store misses some of what came after batch `to`, and the outbox has it. */
  #rewind(to: number, last: number): void {
    const { log } = this.#options;
    const { until = 0, rewinds = 0 } = this.#again ?? {};
    this.#again = { until: Math.max(last, until), rewinds: rewinds + 1 };
    if (rewinds >= limits.rewindsMax) {
      this.#again = undefined;
      throw new TonnageError(
        'ledger_gap',
        `the store still misses batches after ${to}, although it was given them ${rewinds} times: stop the server and run ` +
          'tonnage ledger rebuild',
      );
    }
    // Where it had said no more than that, it has lost nothing since.
    if (to < this.#delivered)
      log.warn({ from: this.#delivered, to }, 'the store has lost batches that it had; they are delivered again');
    this.#delivered = to;
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
    // Also without a new batch it looks again now and then: the store may have lost what it had.
    await this.#pause();
    if (this.#delivered === this.#last) this.#positioned = false;
  }

  /** Until the next batch is committed, or there is something else to do. */
  async #pause(): Promise<void> {
    if (!this.#closed) await this.#idlePause.wait(limits.outboxTrimEveryMs);
  }

  /** A full field may be in every delivery, so the log names each field now and then only. */
  #noteRejected(fields: readonly string[]): void {
    if (fields.length === 0) return;
    const { clock, log, onRejected } = this.#options;
    onRejected?.(fields);
    for (const field of fields) this.#rejected.set(field, (this.#rejected.get(field) ?? 0) + 1);
    if (clock.monotonic() - this.#rejectedToldAt < rejectedLogEveryMs) return;
    const changes = [...this.#rejected.values()].reduce((sum, count) => sum + count, 0);
    log.error(
      { changes, fields: [...this.#rejected.keys()].slice(0, rejectedFieldsLogged) },
      'the store could not add to these fields, since each holds no integer or would leave the range of 64 bits; ' +
        'the store keeps the amounts apart, and tonnage ledger rebuild adds them once the fields can take them',
    );
    this.#rejected.clear();
    this.#rejectedToldAt = clock.monotonic();
  }

  async #noteSuccess(): Promise<void> {
    const { outbox } = this.#options;
    this.#failures = 0;
    this.#failure = undefined;
    // The store has all that it missed again: an operator has put it back.
    if (outbox.gap) await outbox.noteGap(undefined);
    // While it is being given again what it has lost, it may still turn out that some of that is gone.
    if (!this.#isTroubled || this.#again) return;
    this.#isTroubled = false;
    this.#options.log.info({}, 'batches are delivered to the store again; nothing was lost');
  }

  async #noteFailure(error: unknown): Promise<void> {
    const failure = messageOf(error);
    this.#failures++;
    this.#positioned = false;
    if (error instanceof TonnageError && isLoss(error)) await this.#noteGap(error);
    if (failure === this.#failure) return;
    this.#failure = failure;
    this.#isTroubled = true;
    const isLost = this.#options.outbox.gap !== undefined;
    this.#options.log.error({ error: failure, ...this.status() }, isLost ? incomplete : undelivered);
  }

  /** Keeps a loss in the ledger's file, so that it is known after a restart, too, while the store is away. */
  async #noteGap(error: TonnageError): Promise<void> {
    const { outbox } = this.#options;
    const gap = { reason: error.message, isLasting: error instanceof ForkedHistory };
    if (outbox.gap?.reason !== gap.reason || this.#isGapUnsaved) await this.#saveGap(gap);
  }

  async #saveGap(gap: LedgerGap): Promise<void> {
    const { outbox, log } = this.#options;
    try {
      await outbox.noteGap(gap);
      this.#isGapUnsaved = false;
    } catch (error) {
      if (!this.#isGapUnsaved)
        log.error({ error: messageOf(error) }, 'the ledger could not save that its store has lost data');
      this.#isGapUnsaved = true;
    }
  }
}

/** These batches are not in the outbox, and the store needs them. */
function missing(from: number, to: number): TonnageError {
  const which = from === to ? `batch ${from}` : `batches ${from} to ${to}`;
  return new TonnageError(
    'ledger_gap',
    `the store misses ${which} of this ledger, and the outbox does not have ${from === to ? 'it' : 'them'} any more; ` +
      'the ledger has their counts: stop the server and run tonnage ledger rebuild',
  );
}

const undelivered = 'batches cannot be delivered to the store; they are kept in the outbox, and it tries again';

const incomplete =
  'the store misses data that the ledger cannot deliver again, so totals are incomplete; new events are still counted';
