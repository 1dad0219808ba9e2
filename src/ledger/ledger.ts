import { limits, messageOf, TonnageError, type Clock, type Log } from '../base/index.ts';
import type { MetricSet } from '../metric/index.ts';
import type { AccountTotal, Batch, Committed, Store } from '../store/index.ts';
import { createCalendar, type EventResult, type Increment, type LedgerEvent } from '../usage/index.ts';
import { Committer } from './committer.ts';
import type { Ledger } from './contract.ts';
import { Counted } from './counted.ts';
import { KeptDimensions, type DimensionOptions } from './dimensions.ts';
import { EventKeys } from './event-key.ts';
import { Delivery } from './delivery.ts';
import { countEvents, ledgerInstruments } from './metrics.ts';
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
  /** Days for which an event that is sent again is known. Default: 35. */
  readonly dedupeDays?: number;
  /** Days for which details are kept; at least `dedupeDays`. Default: 400. */
  readonly detailDays?: number;
  /** How long delivered batches are kept, and how many bytes of them. Default: `limits.outboxKeepMs`, `outboxKeepBytes`. */
  readonly outboxKeepMs?: number;
  readonly outboxKeepBytes?: number;
}

export const defaultDedupeDays = 35;
export const defaultDetailDays = 400;

/** Opens the ledger over a store that this process alone writes. Reads the sums so far, for the counters. */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const { store, clock, log, metrics, durability, commitWaitMs = limits.commitWaitMsMax } = options;
  const { journal } = store;
  const calendar = createCalendar(store.timeZone);
  const window = new EventWindow(options.dedupeDays ?? defaultDedupeDays);
  const counted = new Counted({ orgs: options.orgLabels });
  const voided = new Counted({ orgs: options.orgLabels });
  const soFar = await journal.accounts();
  counted.add(soFar.map(asCounted));
  voided.add(soFar.map(asVoided));
  const instruments = ledgerInstruments(metrics, {
    unsavedEvents: () => committer.unsavedEvents,
    waitingEvents: () => committer.waitingEvents,
    delivery: () => delivery?.status(),
    counted,
    voided,
  });
  const kept = new KeptDimensions(options, store, instruments);
  const today = (): number => calendar.dayOf(clock.now());
  await kept.prepare([today()]);

  function onCommitted(batch: Batch, committed: Committed): Promise<void> | undefined {
    delivery?.notify(batch.number);
    if (!committed.known) {
      if (!batch.backfill) counted.add(batch.increments);
      counted.add(committed.added);
      voided.add(committed.takenBack.map((taken) => ({ ...taken, quantity: -taken.quantity })));
      noteRejected(committed.rejected);
      return undefined;
    }
    // An earlier try was stored although it seemed to fail, perhaps with events that this one does not have any more.
    return journal.accounts().then(raise, (error: unknown) => {
      log.warn({ error: messageOf(error) }, 'tonnage_usage_total may lag behind until the next start');
    });
  }

  function raise(accounts: readonly AccountTotal[]): void {
    counted.raise(accounts.map(asCounted));
    voided.raise(accounts.map(asVoided));
  }

  function noteRejected(cells: number): void {
    if (cells === 0) return;
    instruments.rejectedIncrements.inc(cells);
    log.error({ cells }, 'sums beyond 64-bit integers: these increments are kept in the table rejected, and not added');
  }

  const committer = new Committer({
    journal,
    calendar,
    clock,
    log,
    instruments,
    kept,
    eventKeys: new EventKeys(store.hashKey),
    onCommitted,
    forgettable: () => ({
      keys: window.keysFrom(clock.now()),
      details: today() - (options.detailDays ?? defaultDetailDays),
    }),
  });
  const delivery = openDelivery(options);
  delivery?.start();
  const tidying = setInterval(() => committer.tidy(), limits.tidyEveryMs);
  tidying.unref();

  async function ingest(events: readonly LedgerEvent[]): Promise<readonly EventResult[]> {
    const now = clock.now();
    const refusals = events.map((event) => window.refusal(event, now));
    const taken = events.filter((_, index) => refusals[index] === undefined);
    const results = taken.length === 0 ? [] : await within(commitWaitMs, committer.ingest(taken));
    let next = 0;
    const all = refusals.map((refusal) => refusal ?? results[next++] ?? missing());
    countEvents(instruments, all);
    return all;
  }

  return {
    timeZone: store.timeZone,
    dimensions: options.dimensions,
    today,
    record(counts) {
      const batch = committer.add(counts);
      return durability === 'strict' ? batch.wait(commitWaitMs) : undefined;
    },
    ingest,
    query: (query) => store.totals.query(kept.translate(query), today()),
    backfill: (increments) => committer.backfill(increments),
    status() {
      const { unsavedEvents, failure } = committer;
      const status = { unsavedEvents, ...(failure !== undefined && { failure }) };
      return delivery ? { ...status, delivery: delivery.status() } : status;
    },
    async close(waitMs) {
      clearInterval(tidying);
      try {
        await settleWithin(committer, waitMs);
      } finally {
        await delivery?.close(limits.deliveryCloseMsMax);
      }
    },
  };
}

function openDelivery({ store, clock, log, outboxKeepMs, outboxKeepBytes }: LedgerOptions): Delivery | undefined {
  const { journal, remote } = store;
  if (!remote || !journal.outbox) return undefined;
  return new Delivery({
    outbox: journal.outbox,
    remote,
    lastBatch: journal.lastBatch,
    clock,
    log,
    ...(outboxKeepMs !== undefined && { keepMs: outboxKeepMs }),
    ...(outboxKeepBytes !== undefined && { keepBytes: outboxKeepBytes }),
  });
}

function asCounted({ account, counted }: AccountTotal): Omit<Increment, 'day'> {
  return { ...account, quantity: counted };
}

function asVoided({ account, voided }: AccountTotal): Omit<Increment, 'day'> {
  return { ...account, quantity: voided };
}

function missing(): never {
  throw new TonnageError('internal_error', 'the ledger has no result for an event');
}

/** What is late may be committed after all; whoever sends it again is told so. */
async function within<T>(waitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new TonnageError('ledger_unavailable', `the commit did not end within ${waitMs} ms`);
    timer = setTimeout(() => reject(error), waitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function settleWithin(committer: Committer, waitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), waitMs);
  });
  const outcome = await Promise.race([committer.settle(), late]);
  clearTimeout(timer);
  if (outcome !== 'late') return;
  const { unsavedEvents, failure } = committer;
  throw new TonnageError(
    'ledger_unsaved',
    `${unsavedEvents} counted events could not be saved within ${waitMs} ms: ${failure ?? 'the commit did not end'}`,
  );
}
