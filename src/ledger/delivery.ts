import { ForkedHistory, isLoss, limits, messageOf, TonnageError, type Clock, type Log } from '../base/index.ts';
import type { LedgerGap, Outbox, OutboxBatch, RemoteTotals } from '../store/index.ts';
import type { Day } from '../usage/index.ts';
import { RetryLoop, type Failure } from './retry-loop.ts';

/** Minimum time between two log lines about amounts that the store could not add. */
const rejectedLogEveryMs = 60_000;

/** Maximum number of fields in such a line. */
const rejectedFieldsLogged = 10;

export interface DeliveryOptions {
  readonly outbox: Outbox;
  readonly remote: RemoteTotals;
  /** Number of the last committed batch. */
  readonly lastBatch: number;
  readonly clock: Clock;
  readonly log: Log;
  /** How long the outbox keeps delivered batches (milliseconds), and how many bytes of them. */
  readonly keepMs?: number;
  readonly keepBytes?: number;
  /** Called with the fields that could not take an amount: one entry for each amount that the store set aside. */
  readonly onRejected?: (fields: readonly string[]) => void;
}

/** The state of a delivery. */
export interface DeliveryStatus {
  /** Committed batches that are not known to be delivered. */
  readonly waiting: number;
  /** How long the oldest of them has waited, in milliseconds; 0 if none waits. */
  readonly ageMs: number;
  readonly bytes: number;
  /** Why deliveries fail; absent while they succeed. */
  readonly failure?: string;
  /** The data that the store misses and the ledger cannot deliver again, and the remedy. Totals are then incomplete. */
  readonly gap?: string;
}

/**
 * Delivers committed batches, in order, to the store that has the totals; several at a time if they have piled up. The store
 * updates the number of its last batch together with its counts, so a repeated delivery adds nothing. If the store has lost
 * batches (a failover, a restart), its number shows that, and the ledger delivers them again from the outbox.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #loop: RetryLoop;
  #last: number;
  #delivered: number;
  #oldestAt: number | undefined;
  /** The log has reported a failure, but not yet its end. */
  #hasLoggedFailure = false;
  /** The gap could not be saved in the ledger's file yet. */
  #isGapUnsaved = false;
  /** While the ledger is delivering lost batches again: the last of them, and how often the store has rewound. */
  #again: { readonly until: number; readonly rewinds: number } | undefined;
  #trimmedAt = -Infinity;
  /** By field, the number of amounts that it could not take since the last log line about them. */
  readonly #rejected = new Map<string, number>();
  #rejectedLoggedAt = -Infinity;
  #detailsFrom: Day | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#last = options.lastBatch;
    this.#delivered = options.outbox.status().delivered;
    this.#loop = new RetryLoop(
      {
        prepare: () => this.#askPosition(),
        step: () => this.#step(),
        onFailure: (error, failure) => this.#noteFailure(error, failure),
        hasWork: () => this.status().waiting > 0 && this.status().failure === undefined,
        idleMs: limits.outboxTrimEveryMs,
      },
      options.clock,
    );
  }

  start(): void {
    const { outbox, log } = this.#options;
    if (outbox.gap) log.error({ error: outbox.gap.reason }, incomplete);
    this.#loop.start();
  }

  /** A batch has been committed. */
  notify(number: number): void {
    if (this.#delivered >= this.#last) this.#oldestAt = this.#options.clock.now();
    this.#last = number;
    this.#loop.wake();
  }

  /** Drops the details of days before `day` at the store, a few at a time, after deliveries. */
  tidy(day: Day): void {
    this.#detailsFrom = day;
    this.#loop.wake();
  }

  status(): DeliveryStatus {
    const { gap } = this.#options.outbox;
    const failure = gap?.reason ?? this.#loop.failure ?? this.#options.remote.failure;
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

  /** Waits up to `waitMs` until all batches are delivered. The outbox keeps the rest for the next start. */
  close(waitMs: number): Promise<void> {
    return this.#loop.close(waitMs);
  }

  async #askPosition(): Promise<void> {
    if (this.#delivered < this.#last) this.#oldestAt ??= await this.#readOldest();
    if (this.#options.outbox.gap?.isLasting) return;
    const kept = await this.#options.remote.position();
    // Parts of the store may still lack batches before that position: the ledger is delivering those again.
    this.#delivered = this.#again ? Math.min(kept, this.#delivered) : kept;
  }

  /** Delivers some batches and tidies up. Answers whether nothing is left to do. */
  async #step(): Promise<boolean> {
    const { gap } = this.#options.outbox;
    if (gap?.isLasting) {
      if (this.#isGapUnsaved) await this.#saveGap(gap);
      return true;
    }
    let delivered = await this.#deliverSome();
    // The outbox may lack what the store misses, which only the next delivery shows.
    while (delivered === 'rewound') delivered = await this.#deliverSome();
    await this.#noteSuccess();
    await this.#trim();
    await this.#forgetDetails();
    return delivered === 'none' && this.#detailsFrom === undefined;
  }

  async #readOldest(): Promise<number | undefined> {
    const [oldest] = await this.#options.outbox.read(this.#delivered, 1).catch(() => []);
    return oldest?.at;
  }

  /** Delivers the next batches. `none`: the store has all batches. `rewound`: it misses earlier ones. */
  async #deliverSome(): Promise<'some' | 'none' | 'rewound'> {
    const { remote } = this.#options;
    const batches = await this.#readNext();
    const last = batches.at(-1)?.number;
    if (last === undefined) return 'none';
    const result = await remote.deliver(batches);
    if (result.kind === 'rewind') {
      this.#rewind(result.to, last);
      return 'rewound';
    }
    this.#noteRejected(result.rejected);
    this.#delivered = last;
    if (this.#again && last >= this.#again.until) this.#again = undefined;
    return 'some';
  }

  /** The next batches, without a hole in their numbers; none if all are delivered. */
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

  /** The store misses batches after `to`, and the outbox has them. */
  #rewind(to: number, last: number): void {
    const { log } = this.#options;
    const { until = 0, rewinds = 0 } = this.#again ?? {};
    this.#again = { until: Math.max(last, until), rewinds: rewinds + 1 };
    if (rewinds >= limits.rewindsMax) {
      this.#again = undefined;
      throw new TonnageError(
        'ledger_gap',
        `the store still misses batches after ${to}, although they were delivered ${rewinds} times: stop the server and run ` +
          'tonnage ledger rebuild',
      );
    }
    // Otherwise the store has lost nothing since the last rewind.
    if (to < this.#delivered)
      log.warn({ from: this.#delivered, to }, 'the store has lost batches; the ledger is delivering them again');
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

  /** Logs at intervals, since a full field may be part of every delivery. */
  #noteRejected(fields: readonly string[]): void {
    if (fields.length === 0) return;
    const { clock, log, onRejected } = this.#options;
    onRejected?.(fields);
    for (const field of fields) this.#rejected.set(field, (this.#rejected.get(field) ?? 0) + 1);
    if (clock.monotonic() - this.#rejectedLoggedAt < rejectedLogEveryMs) return;
    const changes = [...this.#rejected.values()].reduce((sum, count) => sum + count, 0);
    log.error(
      { changes, fields: [...this.#rejected.keys()].slice(0, rejectedFieldsLogged) },
      'the store could not add to these fields: each holds no integer, or would overflow 64 bits; the store sets the amounts ' +
        'aside, and tonnage ledger rebuild adds them once the fields can take them',
    );
    this.#rejected.clear();
    this.#rejectedLoggedAt = clock.monotonic();
  }

  async #noteSuccess(): Promise<void> {
    const { outbox } = this.#options;
    // The store has its missing data again: an operator has restored it.
    if (outbox.gap) await outbox.noteGap(undefined);
    // While the ledger is delivering lost batches again, the outbox may still turn out to lack some.
    if (!this.#hasLoggedFailure || this.#again) return;
    this.#hasLoggedFailure = false;
    this.#options.log.info({}, 'delivery to the store works again; nothing was lost');
  }

  async #noteFailure(error: unknown, { message, isNew }: Failure): Promise<void> {
    if (error instanceof TonnageError && isLoss(error)) await this.#noteGap(error);
    if (!isNew) return;
    this.#hasLoggedFailure = true;
    const isLost = this.#options.outbox.gap !== undefined;
    this.#options.log.error({ error: message, ...this.status() }, isLost ? incomplete : undelivered);
  }

  /** Saves a loss in the ledger's file, so that it is known after a restart even if the store is unreachable. */
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

/** The error for batches that the store needs and the outbox no longer has. */
function missing(from: number, to: number): TonnageError {
  const which = from === to ? `batch ${from}` : `batches ${from} to ${to}`;
  return new TonnageError(
    'ledger_gap',
    `the store misses ${which} of this ledger, and the outbox no longer has ${from === to ? 'it' : 'them'}; the ledger still ` +
      'has the counts: stop the server and run tonnage ledger rebuild',
  );
}

const undelivered = 'batches cannot be delivered to the store; the outbox keeps them, and the ledger retries';

const incomplete =
  'the store misses data that the ledger cannot deliver again, so totals are incomplete; the ledger still counts new events';
