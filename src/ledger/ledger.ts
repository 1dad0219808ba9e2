import { endsWithin, limits, TonnageError, within, type Clock, type Log } from '../base/index.ts';
import type { MetricSet } from '../metric/index.ts';
import type { Batch, Committed, KeyHash, Store } from '../store/index.ts';
import {
  checkRange,
  createCalendar,
  incompleteTotals,
  type Calendar,
  type EventResult,
  type Increment,
  type LedgerEvent,
  type UsageAnswer,
  type UsageQuery,
} from '../usage/index.ts';
import { Claiming } from './claiming.ts';
import { Committer } from './committer.ts';
import type { Ledger, LedgerStatus } from './contract.ts';
import type { DayMaxOf } from './gathering.ts';
import { UsageCounters } from './counters.ts';
import { Delivery } from './delivery.ts';
import { KeptDimensions, type DimensionOptions } from './dimensions.ts';
import { EventKeys } from './event-key.ts';
import { countClaims, countEvents, countRejected, ledgerInstruments, type LedgerInstruments } from './metrics.ts';
import type { Count } from './pending.ts';
import { SharedValues } from './shared-values.ts';
import { EventWindow } from './window.ts';

export interface LedgerOptions extends DimensionOptions {
  readonly store: Omit<Store, 'close'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: MetricSet;
  /** `strict`: `record` gives a promise of the commit. `relaxed`: it does not, and nobody waits. */
  readonly durability: 'strict' | 'relaxed';
  /** Whether `tonnage_usage_total` tells organisations apart. */
  readonly orgLabels: boolean;
  /** How long `record`'s promise waits for the commit at most. Default: `limits.commitWaitMsMax`. */
  readonly commitWaitMs?: number;
  /** Days for which an event that is sent again is known. Default: `limits.dedupeDays`. */
  readonly dedupeDays?: number;
  /**
   * How much one organisation may have of a meter on one day; what credentials that are not bound to it state has the same
   * limit apart. Holds only while `org` is kept. Default: there is no limit.
   */
  readonly dayMaxOf?: DayMaxOf;
  /** Days for which details are kept; at least `dedupeDays`. Default: `limits.detailDays`. */
  readonly detailDays?: number;
  /** How long delivered batches are kept, and how many bytes of them. Default: `limits.outboxKeepMs`, `outboxKeepBytes`. */
  readonly outboxKeepMs?: number;
  readonly outboxKeepBytes?: number;
}

/** Opens the ledger over a store that this process alone writes. Reads the sums so far, for the counters. */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const ledger = new StoreLedger(options);
  await ledger.open();
  return ledger;
}

class StoreLedger implements Ledger {
  readonly #options: LedgerOptions;
  readonly #calendar: Calendar;
  readonly #window: EventWindow;
  readonly #counters: UsageCounters;
  readonly #instruments: LedgerInstruments;
  readonly #kept: KeptDimensions;
  readonly #committer: Committer;
  readonly #delivery: Delivery | undefined;
  readonly #claiming: Claiming | undefined;
  readonly #sharedValues: SharedValues | undefined;
  #eventKeys: EventKeys | undefined;
  readonly #commitWaitMs: number;
  #tidying: NodeJS.Timeout | undefined;

  constructor(options: LedgerOptions) {
    const { store, clock, log, metrics } = options;
    this.#options = options;
    this.#commitWaitMs = options.commitWaitMs ?? limits.commitWaitMsMax;
    this.#calendar = createCalendar(store.timeZone);
    const { dedupeDays = limits.dedupeDays } = options;
    this.#window = new EventWindow(dedupeDays);
    this.#counters = new UsageCounters(store.journal, { orgs: options.orgLabels }, log);
    this.#delivery = deliveryOf(options, (fields) => {
      countRejected(this.#instruments, fields);
    });
    this.#instruments = ledgerInstruments(metrics, {
      unsavedEvents: () => this.#committer.unsavedEvents,
      waitingEvents: () => this.#committer.waitingEvents,
      heldKeys: () => store.journal.heldKeys,
      delivery: () => this.#delivery?.status(),
      claiming: () => this.#claiming?.status(),
      counted: this.#counters.counted,
      voided: this.#counters.voided,
    });
    this.#kept = new KeptDimensions(options, dedupeDays, store, this.#instruments);
    this.#committer = new Committer({
      journal: store.journal,
      calendar: this.#calendar,
      clock,
      log,
      instruments: this.#instruments,
      kept: this.#kept,
      cells: this.#kept.cells,
      // Without the dimension `org`, one organisation would use up the day of all.
      ...(options.dayMaxOf && options.dimensions.includes('org') && { dayMaxOf: options.dayMaxOf }),
      eventKeys: () => this.#eventKeys ?? unknownSecret(),
      onCommitted: (batch, committed) => this.#onCommitted(batch, committed),
      forgettable: () => ({ keys: this.#window.keysFrom(clock.now()), details: this.#detailsFrom() }),
    });
    this.#claiming = claimingOf(options, {
      onSettled: ({ verdicts }) => countClaims(this.#instruments, verdicts),
      settle: (claims) => this.#committer.settleClaims(claims),
      onAgreed: (keyHash) => this.#useHash(keyHash),
    });
    const { shared } = store;
    this.#sharedValues =
      shared && new SharedValues({ caps: this.#kept.caps, shared, secret: () => shared.keyHash?.secret, log });
    const keyHash = shared ? shared.keyHash : store.keyHash;
    if (keyHash) this.#useHash(keyHash);
  }

  async open(): Promise<void> {
    await this.#counters.open();
    await this.#kept.prepare([this.today()]);
    this.#delivery?.start();
    this.#claiming?.start();
    this.#sharedValues?.start();
    this.#tidying = setInterval(() => this.#tidy(), limits.tidyEveryMs);
    this.#tidying.unref();
  }

  get timeZone(): string {
    return this.#options.store.timeZone;
  }

  get dimensions(): LedgerOptions['dimensions'] {
    return this.#options.dimensions;
  }

  today(): number {
    return this.#calendar.dayOf(this.#options.clock.now());
  }

  record(counts: readonly Count[]): Promise<void> | undefined {
    const batch = this.#committer.add(counts);
    return this.#options.durability === 'strict' ? batch.wait(this.#commitWaitMs) : undefined;
  }

  async ingest(events: readonly LedgerEvent[]): Promise<readonly EventResult[]> {
    const now = this.#options.clock.now();
    const refusals = events.map((event) => this.#window.refusal(event, now));
    const taken = events.filter((_, index) => refusals[index] === undefined);
    const results =
      taken.length === 0
        ? []
        : await within(this.#commitWaitMs, this.#committer.ingest(taken), () => lateCommit(this.#commitWaitMs));
    let next = 0;
    const all = refusals.map((refusal, index) => refusal ?? this.#explained(events[index], results[next++]));
    countEvents(this.#instruments, all);
    return all;
  }

  backfill(increments: readonly Increment[]): Promise<void> {
    return this.#committer.backfill(increments);
  }

  async query(query: UsageQuery, takesIncomplete = false): Promise<UsageAnswer> {
    const today = this.today();
    checkRange(query, today);
    if (!takesIncomplete) this.#assertComplete();
    const answer = await this.#options.store.totals.query(this.#kept.translate(query), today);
    // The loss may have been noticed meanwhile.
    if (!takesIncomplete) this.#assertComplete();
    return this.#delivery?.status().gap === undefined ? answer : { ...answer, incomplete: true };
  }

  #assertComplete(): void {
    const gap = this.#delivery?.status().gap;
    if (gap !== undefined) throw incompleteTotals(gap);
  }

  status(): LedgerStatus {
    const { unsavedEvents, failure } = this.#committer;
    const [delivery, claiming] = [this.#delivery?.status(), this.#claiming?.status()];
    return {
      unsavedEvents,
      ...(failure !== undefined && { failure }),
      ...(delivery && { delivery }),
      ...(claiming && { claiming }),
    };
  }

  async close(waitMs: number): Promise<void> {
    clearInterval(this.#tidying);
    const isSettled = await endsWithin(waitMs, this.#committer.settle());
    // Claims are committed, so they end before the committer; the delivery then brings what they counted to the store.
    if (!isSettled) this.#committer.stop();
    await this.#claiming?.close(limits.deliveryCloseMsMax);
    this.#committer.stop();
    const unsaved = this.#unsaved(waitMs);
    await this.#sharedValues?.close();
    await this.#delivery?.close(limits.deliveryCloseMsMax);
    if (unsaved) throw unsaved;
  }

  /** Logged at once: what is closed after the ledger may wait for the same disk. */
  #unsaved(waitMs: number): TonnageError | undefined {
    const { unsavedEvents, failure = 'the commit did not end' } = this.#committer;
    if (unsavedEvents === 0) return undefined;
    const quantities = Object.fromEntries([...this.#committer.unsavedQuantities()].map(([k, sum]) => [k, String(sum)]));
    const fields = { error: failure, unsavedEvents, quantities, waitedMs: waitMs };
    this.#options.log.error(fields, 'counted events could not be saved, and are lost with this process');
    const text = `${unsavedEvents} counted events could not be saved within ${waitMs} ms: ${failure}`;
    return new TonnageError('ledger_unsaved', text);
  }

  /** A result as the sender gets it: the store, which refuses what a day has no room for, does not know the limit's name. */
  #explained(event: LedgerEvent | undefined, result: EventResult = missing()): EventResult {
    if (result.status !== 'refused' || result.reason !== 'day_limit' || event?.kind !== 'usage') return result;
    const { meter, quantity, dimensions } = event;
    const of = dimensions.org === undefined ? 'without organisation' : `for ${dimensions.org}`;
    const message =
      `data: expected at most ${this.#options.dayMaxOf?.(meter)} of ${meter} on one day ${of} ` +
      `(${limits.largestQuantitiesPerDayMax} times usage.quantityMax), got ${quantity} beside what the day has already`;
    return { ...result, message };
  }

  #detailsFrom(): number {
    return this.today() - (this.#options.detailDays ?? limits.detailDays);
  }

  /** What identities are hashed with from now on, and pseudonyms where nothing else is stated for them. */
  #useHash(keyHash: KeyHash): void {
    if (this.#eventKeys) return;
    this.#eventKeys = new EventKeys(keyHash);
    this.#kept.useKey(keyHash.secret);
  }

  #tidy(): void {
    this.#committer.tidy();
    this.#delivery?.tidy(this.#detailsFrom());
  }

  #onCommitted(batch: Batch, committed: Committed): Promise<void> | undefined {
    this.#delivery?.notify(batch.number);
    this.#claiming?.notify();
    const { rejected } = committed;
    if (rejected > 0) {
      this.#instruments.rejectedIncrements.inc(rejected);
      const text = 'sums beyond 64-bit integers: these increments are kept in the table rejected, and not added';
      this.#options.log.error({ increments: rejected }, text);
    }
    return this.#counters.add(batch, committed);
  }
}

function deliveryOf(
  { store, clock, log, outboxKeepMs, outboxKeepBytes }: LedgerOptions,
  onRejected: (fields: readonly string[]) => void,
): Delivery | undefined {
  const { journal, remote } = store;
  if (!remote || !journal.outbox) return undefined;
  return new Delivery({
    outbox: journal.outbox,
    remote,
    lastBatch: journal.lastBatch,
    clock,
    log,
    onRejected,
    ...(outboxKeepMs !== undefined && { keepMs: outboxKeepMs }),
    ...(outboxKeepBytes !== undefined && { keepBytes: outboxKeepBytes }),
  });
}

function claimingOf(
  { store: { journal, shared }, clock, log }: LedgerOptions,
  parts: Pick<ConstructorParameters<typeof Claiming>[0], 'onSettled' | 'settle' | 'onAgreed'>,
): Claiming | undefined {
  if (!shared || !journal.pending) return undefined;
  return new Claiming({ ...parts, shared, pending: journal.pending, clock, log });
}

function unknownSecret(): never {
  throw new TonnageError(
    'ledger_unavailable',
    'no event can be taken before Redis has answered once: the secret that all instances hash identities with is there',
  );
}

function missing(): never {
  throw new TonnageError('internal_error', 'the ledger has no result for an event');
}

/** A late commit may still succeed: an event that the sender then repeats is a duplicate. */
function lateCommit(waitMs: number): TonnageError {
  return new TonnageError('ledger_unavailable', `the commit did not end within ${waitMs} ms`);
}
