import { lazily, type Counter, type Histogram, type Labelled, type MetricSet } from '../metric/index.ts';
import { outcome, type EventResult } from '../usage/index.ts';
import type { ClaimingStatus } from './claiming.ts';
import type { DeliveryStatus } from './delivery.ts';
import type { UsageCounters } from './counters.ts';
import { rejectedFieldLabel } from './rejected-field.ts';

/** The families that the ledger updates itself. */
export interface LedgerInstruments {
  readonly commitSeconds: Histogram;
  readonly commitEvents: Histogram;
  readonly failedCommits: Counter;
  readonly foldedEvents: Counter;
  readonly duplicateEvents: Counter;
  readonly sharedDuplicateEvents: Counter;
  readonly voidedEvents: Counter;
  readonly refusedEvents: Labelled<Counter, 'reason'>;
  readonly rejectedIncrements: Counter;
  readonly storeRejectedChanges: Labelled<Counter, 'field'>;
  readonly foldedValues: Labelled<Counter, 'dimension'>;
}

/** From less than a commit to a solid-state disk takes, up to the longest wait of a pull. */
const commitSecondsBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];
const commitEventsBounds = [1, 4, 16, 64, 256, 1024, 4096, 16_384];

/** Maximum number of fields in `tonnage_ledger_store_rejected_changes_total`. */
const rejectedFieldsMax = 100;

/** What gauges read at each scrape. */
export interface LedgerSources {
  readonly unsavedEvents: () => number;
  readonly waitingEvents: () => number;
  readonly heldKeys: () => number;
  readonly delivery: () => DeliveryStatus | undefined;
  readonly claiming: () => ClaimingStatus | undefined;
}

/** Counts the results of keyed events. */
export function countEvents(instruments: LedgerInstruments, results: readonly EventResult[]): void {
  for (const result of results) {
    if (result.status === 'duplicate') instruments.duplicateEvents.inc();
    else if (result.status === 'voided') instruments.voidedEvents.inc();
    else if (result.status === 'refused') instruments.refusedEvents.labels({ reason: result.reason }).inc();
  }
}

/** Counts the outcome of claims. */
export function countClaims(instruments: LedgerInstruments, verdicts: Uint8Array): void {
  const count = (wanted: number) => verdicts.reduce((sum, verdict) => sum + (verdict === wanted ? 1 : 0), 0);
  instruments.sharedDuplicateEvents.inc(count(outcome.duplicate));
  instruments.voidedEvents.inc(count(outcome.voided));
}

/** Counts amounts that the store of totals could not add, by field. */
export function countRejected(instruments: LedgerInstruments, fields: readonly string[]): void {
  for (const field of fields) {
    instruments.storeRejectedChanges.labels({ field: rejectedFieldLabel(field) }).inc();
  }
}

/** Declares the families that the ledger updates itself. */
export function ledgerInstruments(metrics: MetricSet): LedgerInstruments {
  return {
    commitSeconds: metrics.histogram({
      name: 'tonnage_ledger_commit_duration_seconds',
      unit: 'seconds',
      help: 'Time of a commit, from its start until it was durable.',
      buckets: commitSecondsBounds,
    }),
    commitEvents: metrics.histogram({
      name: 'tonnage_ledger_commit_events',
      help: 'Events per commit.',
      buckets: commitEventsBounds,
    }),
    failedCommits: metrics.counter({
      name: 'tonnage_ledger_failed_commits',
      help: 'Failed attempts to commit. The ledger retries each one, and loses nothing.',
    }),
    foldedEvents: metrics.counter({
      name: 'tonnage_ledger_folded_events',
      help: 'Events whose details were counted under __other__, because too many distinct cells waited for a commit.',
    }),
    duplicateEvents: metrics.counter({
      name: 'tonnage_ledger_duplicate_events',
      help: 'Repeated events, and voids of events that had been voided before.',
    }),
    sharedDuplicateEvents: metrics.counter({
      name: 'tonnage_ledger_shared_duplicate_events',
      help: 'Events and voids that this instance accepted and did not count, because another instance had them first.',
    }),
    voidedEvents: metrics.counter({
      name: 'tonnage_ledger_voided_events',
      help: 'Events that were not counted, because their void came first.',
    }),
    refusedEvents: metrics.counter({
      name: 'tonnage_ledger_refused_events',
      help: 'Events that the ledger refused, by reason.',
      labels: ['reason'],
    }),
    rejectedIncrements: metrics.counter({
      name: 'tonnage_ledger_rejected_increments',
      help: 'Increments that were set aside and not added, because their sum would overflow 64 bits.',
    }),
    storeRejectedChanges: metrics.counter({
      name: 'tonnage_ledger_store_rejected_changes',
      help: 'Amounts that the store of totals set aside, by the field that holds no integer or would overflow 64 bits.',
      labels: ['field'],
      seriesMax: rejectedFieldsMax,
    }),
    foldedValues: metrics.counter({
      name: 'tonnage_ledger_folded_values',
      help: 'Values that were counted under __other__, because their dimension has too many values on one day.',
      labels: ['dimension'],
    }),
  };
}

/** Declares the families of what this data directory has counted. */
export function declareUsage(metrics: MetricSet, { counted, voided }: Pick<UsageCounters, 'counted' | 'voided'>): void {
  metrics.add({
    type: 'counter',
    name: 'tonnage_usage',
    help: 'Everything that this data directory has ever counted, by meter, organisation and architecture of the image.',
    points: lazily(() => counted.points()),
  });
  metrics.add({
    type: 'counter',
    name: 'tonnage_usage_voided',
    help: 'The part of tonnage_usage_total that was voided; tonnage_usage_total itself never falls.',
    points: lazily(() => voided.points()),
  });
}

/** Declares the families that are read at each scrape. */
export function declareGauges(metrics: MetricSet, sources: LedgerSources): void {
  const { unsavedEvents, waitingEvents, heldKeys, delivery, claiming } = sources;
  metrics.gauge({
    name: 'tonnage_ledger_waiting_events',
    help: 'Events with an identity that wait for their commit; their senders wait too.',
    read: waitingEvents,
  });
  metrics.gauge({
    name: 'tonnage_ledger_held_keys',
    help: 'Keys of events that the ledger holds to recognise repeated events. At usage.heldKeysMax it refuses events.',
    read: heldKeys,
  });
  metrics.gauge({
    name: 'tonnage_ledger_pending_claims',
    help: 'Events that are durable and not counted yet, because another instance may have had them first.',
    read: () => claiming()?.events ?? 0,
  });
  metrics.gauge({
    name: 'tonnage_ledger_outbox_batches',
    help: 'Committed batches that the store of totals does not have yet; 0 if the ledger keeps the totals itself.',
    read: () => delivery()?.waiting ?? 0,
  });
  metrics.gauge({
    name: 'tonnage_ledger_outbox_age_seconds',
    unit: 'seconds',
    help: 'How long the oldest batch has waited for its delivery.',
    read: () => (delivery()?.ageMs ?? 0) / 1000,
  });
  metrics.gauge({
    name: 'tonnage_ledger_outbox_bytes',
    unit: 'bytes',
    help: 'Bytes of all batches in the outbox, including delivered ones.',
    read: () => delivery()?.bytes ?? 0,
  });
  metrics.gauge({
    name: 'tonnage_ledger_unsaved_events',
    help: 'Counted events in memory that are not committed yet. They stay in memory until the commit succeeds.',
    read: unsavedEvents,
  });
}
