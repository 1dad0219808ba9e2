import { limits, TonnageError, type Clock, type Log } from '../base/index.ts';
import type { MetricSet } from '../metric/index.ts';
import type { Store } from '../store/index.ts';
import { createCalendar } from '../usage/index.ts';
import { Committer } from './committer.ts';
import type { Ledger } from './contract.ts';
import { Counted } from './counted.ts';
import { KeptDimensions, openCaps, type DimensionOptions } from './dimensions.ts';
import { ledgerInstruments } from './metrics.ts';
import type { Pending } from './pending.ts';

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
}

/** Opens the ledger over a store that this process alone writes. Reads the sums so far, for the counters. */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const { store, clock, log, metrics, durability, commitWaitMs = limits.commitWaitMsMax } = options;
  const calendar = createCalendar(store.timeZone);
  const counted = new Counted(await store.totals.accounts(), { orgs: options.orgLabels });
  const instruments = ledgerInstruments(metrics, () => committer.unsavedEvents, counted);
  const onCommitted = (batch: Pending): void => counted.add(batch.increments());
  const caps = await openCaps(store, calendar.dayOf(clock.now()), options.dimensions);
  const kept = new KeptDimensions(options, store.hashKey, caps, instruments);
  const committer = new Committer({ journal: store.journal, calendar, clock, log, instruments, kept, onCommitted });

  return {
    timeZone: store.timeZone,
    dimensions: options.dimensions,
    today: () => calendar.dayOf(clock.now()),
    record(counts) {
      const batch = committer.add(counts);
      return durability === 'strict' ? batch.wait(commitWaitMs) : undefined;
    },
    query: (query) => store.totals.query(kept.translate(query), calendar.dayOf(clock.now())),
    status() {
      const { unsavedEvents, failure } = committer;
      return { unsavedEvents, ...(failure !== undefined && { failure }) };
    },
    close: (waitMs) => settleWithin(committer, waitMs),
  };
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
