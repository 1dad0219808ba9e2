import { endsWithin, limits, TonnageError, within, type Clock, type Log } from '../base/index.ts';
import type { MetricSet } from '../metric/index.ts';
import type { Committed, Journal, SettledClaims, Store } from '../store/index.ts';
import {
  checkRange,
  createCalendar,
  incompleteTotals,
  type Day,
  type EventResult,
  type Increment,
  type LedgerEvent,
  type UsageAnswer,
  type UsageQuery,
} from '../usage/index.ts';
import { Claiming, type ClaimingOptions } from './claiming.ts';
import { Committer } from './committer.ts';
import type { Ledger, LedgerStatus } from './contract.ts';
import type { DayMaxOf } from './keyed-batch.ts';
import { openCounters, type UsageCounters } from './counters.ts';
import { Delivery } from './delivery.ts';
import { KeptDimensions, type DimensionOptions } from './dimensions.ts';
import { EventKeys } from './event-key.ts';
import {
  countClaims,
  countEvents,
  countRejected,
  declareGauges,
  declareUsage,
  ledgerInstruments,
  type LedgerInstruments,
} from './metrics.ts';
import type { Count } from './pending-batch.ts';
import { SharedValues } from './shared-values.ts';
import { EventWindow } from './window.ts';

export interface LedgerOptions extends DimensionOptions {
  readonly store: Omit<Store, 'close'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: MetricSet;
  /** `strict`: `record` answers a promise of the commit. `relaxed`: it does not, and callers do not wait. */
  readonly durability: 'strict' | 'relaxed';
  /** Whether `tonnage_usage_total` has a series for each organisation. */
  readonly orgLabels: boolean;
  /** How long `record` and `ingest` wait for a commit, in milliseconds. Default: `limits.commitWaitMsMax`. */
  readonly commitWaitMs?: number;
  /** Days for which the ledger recognises a repeated event. Default: `limits.dedupeDays`. */
  readonly dedupeDays?: number;
  /**
   * The largest sum of a meter that one organisation may have on one day. Events from credentials that are not bound to
   * the organisation have the same limit of their own. Applies only if `org` is kept. Default: no limit.
   */
  readonly dayMaxOf?: DayMaxOf;
  /** Days for which the ledger keeps details; at least `dedupeDays`. Default: `limits.detailDays`. */
  readonly detailDays?: number;
  /** How long the outbox keeps delivered batches, and how many bytes. Default: `limits.outboxKeepMs`, `outboxKeepBytes`. */
  readonly outboxKeepMs?: number;
  readonly outboxKeepBytes?: number;
}

/** Opens the ledger over a store that only this process writes. Reads the sums so far, for the counters. */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const { store, clock, log, metrics, dedupeDays = limits.dedupeDays, detailDays = limits.detailDays } = options;
  const { journal, shared } = store;
  const calendar = createCalendar(store.timeZone);
  const today = () => calendar.dayOf(clock.now());
  const detailsFrom = () => today() - detailDays;
  const window = new EventWindow(dedupeDays);
  const instruments = ledgerInstruments(metrics);
  const counters = await openCounters(journal, { orgs: options.orgLabels }, log);
  const eventKeys = new EventKeys(shared ? shared.keyHash : store.keyHash);
  const kept = new KeptDimensions(options, dedupeDays, store, instruments);
  await kept.prepare([today()]);
  const delivery = deliveryOf(options, instruments);
  const claiming = claimingOf(options, instruments, {
    onAgreed(keyHash) {
      if (eventKeys.use(keyHash)) kept.useKey(keyHash.secret);
    },
    settle: (claims) => committer.settleClaims(claims),
  });
  const sharedValues = shared && new SharedValues({ caps: kept.caps, shared, log });
  const committer = new Committer({
    journal,
    calendar,
    clock,
    log,
    instruments,
    kept,
    // Without the dimension `org`, one organisation would use up the limit of all.
    ...(options.dayMaxOf && options.dimensions.includes('org') && { dayMaxOf: options.dayMaxOf }),
    eventKeys,
    onCommitted(batch, committed) {
      delivery?.notify(batch.number);
      claiming?.notify();
      noteRejected(committed, instruments, log);
      return counters.add(batch, committed);
    },
    tidyBefore: () => ({ keys: window.keysFrom(clock.now()), details: detailsFrom() }),
  });
  declareState(metrics, { committer, journal, delivery, claiming, counters });
  delivery?.start();
  claiming?.start();
  sharedValues?.start();
  const tidying = setInterval(() => {
    committer.tidy();
    delivery?.tidy(detailsFrom());
  }, limits.tidyEveryMs);
  tidying.unref();
  return new StoreLedger(options, {
    today,
    window,
    instruments,
    kept,
    committer,
    delivery,
    claiming,
    sharedValues,
    tidying,
  });
}

/** What a ledger consists of, all of it running. */
interface Parts {
  /** The current day in the ledger's zone. */
  readonly today: () => Day;
  readonly window: EventWindow;
  readonly instruments: LedgerInstruments;
  readonly kept: KeptDimensions;
  readonly committer: Committer;
  readonly delivery: Delivery | undefined;
  readonly claiming: Claiming | undefined;
  readonly sharedValues: SharedValues | undefined;
  readonly tidying: NodeJS.Timeout;
}

class StoreLedger implements Ledger {
  readonly #options: LedgerOptions;
  readonly #parts: Parts;
  readonly #commitWaitMs: number;

  constructor(options: LedgerOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    this.#commitWaitMs = options.commitWaitMs ?? limits.commitWaitMsMax;
  }

  get timeZone(): string {
    return this.#options.store.timeZone;
  }

  get dimensions(): LedgerOptions['dimensions'] {
    return this.#options.dimensions;
  }

  today(): Day {
    return this.#parts.today();
  }

  record(counts: readonly Count[]): Promise<void> | undefined {
    const batch = this.#parts.committer.add(counts);
    return this.#options.durability === 'strict' ? batch.wait(this.#commitWaitMs) : undefined;
  }

  async ingest(events: readonly LedgerEvent[]): Promise<readonly EventResult[]> {
    const { window, committer, instruments } = this.#parts;
    const now = this.#options.clock.now();
    const refusals = events.map((event) => window.refusal(event, now));
    const taken = events.filter((_, index) => refusals[index] === undefined);
    const results =
      taken.length === 0
        ? []
        : await within(this.#commitWaitMs, committer.ingest(taken), () => lateCommit(this.#commitWaitMs));
    let next = 0;
    const all = refusals.map((refusal, index) => refusal ?? this.#withLimit(events[index], results[next++]));
    countEvents(instruments, all);
    return all;
  }

  backfill(increments: readonly Increment[]): Promise<void> {
    return this.#parts.committer.backfill(increments);
  }

  async query(query: UsageQuery, takesIncomplete = false): Promise<UsageAnswer> {
    const { kept } = this.#parts;
    const today = this.today();
    checkRange(query, today);
    if (!takesIncomplete) this.#assertComplete();
    const answer = await this.#options.store.totals.query(kept.translate(query), today);
    // The ledger may have noticed the loss during the query.
    if (!takesIncomplete) this.#assertComplete();
    return this.#gap === undefined ? answer : { ...answer, incomplete: true };
  }

  #assertComplete(): void {
    if (this.#gap !== undefined) throw incompleteTotals(this.#gap);
  }

  get #gap(): string | undefined {
    return this.#parts.delivery?.status().gap;
  }

  status(): LedgerStatus {
    const { committer, delivery, claiming } = this.#parts;
    const { unsavedEvents, failure } = committer;
    return {
      unsavedEvents,
      ...(failure !== undefined && { failure }),
      ...(delivery && { delivery: delivery.status() }),
      ...(claiming && { claiming: claiming.status() }),
    };
  }

  async close(waitMs: number): Promise<void> {
    const { committer, delivery, claiming, sharedValues, tidying } = this.#parts;
    clearInterval(tidying);
    const isSettled = await endsWithin(waitMs, committer.settle());
    // Claims are committed, so they end before the committer; the delivery then sends what they counted to the store.
    if (!isSettled) committer.stop();
    await claiming?.close(limits.deliveryCloseMsMax);
    committer.stop();
    const unsaved = this.#unsaved(waitMs);
    await sharedValues?.close();
    await delivery?.close(limits.deliveryCloseMsMax);
    if (unsaved) throw unsaved;
  }

  /** The error for counts that were not saved. Logs it now: the parts that close next may wait for the same disk. */
  #unsaved(waitMs: number): TonnageError | undefined {
    const { committer } = this.#parts;
    const { unsavedEvents, failure = 'the commit did not end' } = committer;
    if (unsavedEvents === 0) return undefined;
    const quantities = Object.fromEntries([...committer.unsavedQuantities()].map(([k, sum]) => [k, String(sum)]));
    const fields = { error: failure, unsavedEvents, quantities, waitedMs: waitMs };
    this.#options.log.error(fields, 'counted events could not be saved, and are lost with this process');
    const text = `${unsavedEvents} counted events could not be saved within ${waitMs} ms: ${failure}`;
    return new TonnageError('ledger_unsaved', text);
  }

  /** Adds the limit to the result of an event that exceeds its day: the store does not know the name of the limit. */
  #withLimit(event: LedgerEvent | undefined, result: EventResult = missing()): EventResult {
    if (result.status !== 'refused' || result.reason !== 'day_limit' || event?.kind !== 'usage') return result;
    const { meter, quantity, dimensions } = event;
    const of = dimensions.org === undefined ? 'without organisation' : `for ${dimensions.org}`;
    const message =
      `data: expected at most ${this.#options.dayMaxOf?.(meter)} of ${meter} on one day ${of} ` +
      `(${limits.largestQuantitiesPerDayMax} times usage.quantityMax), got ${quantity} in addition to the sum of the day`;
    return { ...result, message };
  }
}

/** The delivery to the store that has the totals; `undefined` where the ledger keeps the totals itself. */
function deliveryOf(
  { store, clock, log, outboxKeepMs, outboxKeepBytes }: LedgerOptions,
  instruments: LedgerInstruments,
): Delivery | undefined {
  const { journal, remote } = store;
  if (!remote || !journal.outbox) return undefined;
  return new Delivery({
    outbox: journal.outbox,
    remote,
    lastBatch: journal.lastBatch,
    clock,
    log,
    onRejected: (fields) => countRejected(instruments, fields),
    ...(outboxKeepMs !== undefined && { keepMs: outboxKeepMs }),
    ...(outboxKeepBytes !== undefined && { keepBytes: outboxKeepBytes }),
  });
}

/** The claims of events; `undefined` where no other instance shares them. */
function claimingOf(
  { store: { journal, shared }, clock, log }: LedgerOptions,
  instruments: LedgerInstruments,
  callbacks: Pick<ClaimingOptions, 'onAgreed' | 'settle'>,
): Claiming | undefined {
  if (!shared || !journal.pending) return undefined;
  const onSettled = ({ verdicts }: SettledClaims) => countClaims(instruments, verdicts);
  return new Claiming({ shared, pending: journal.pending, clock, log, ...callbacks, onSettled });
}

/** Declares the families whose values are read at each scrape. */
function declareState(
  metrics: MetricSet,
  parts: Pick<Parts, 'committer' | 'delivery' | 'claiming'> & {
    readonly journal: Pick<Journal, 'heldKeys'>;
    readonly counters: UsageCounters;
  },
): void {
  const { committer, journal, delivery, claiming, counters } = parts;
  declareUsage(metrics, counters);
  declareGauges(metrics, {
    unsavedEvents: () => committer.unsavedEvents,
    waitingEvents: () => committer.waitingEvents,
    heldKeys: () => journal.heldKeys,
    delivery: () => delivery?.status(),
    claiming: () => claiming?.status(),
  });
}

function noteRejected({ rejected }: Committed, instruments: LedgerInstruments, log: Log): void {
  if (rejected === 0) return;
  instruments.rejectedIncrements.inc(rejected);
  const text =
    'sums would overflow 64 bits: the ledger keeps these increments in the table rejected, and does not add them';
  log.error({ increments: rejected }, text);
}

function missing(): never {
  throw new TonnageError('internal_error', 'the ledger has no result for an event');
}

/** A late commit may still succeed: an event that the sender then repeats is a duplicate. */
function lateCommit(waitMs: number): TonnageError {
  return new TonnageError('ledger_unavailable', `the commit did not end within ${waitMs} ms`);
}
