import { lazily, type Counter, type Histogram, type Labelled, type MetricSet } from '../metric/index.ts';
import { outcome, type EventResult } from '../usage/index.ts';
import type { ClaimingStatus } from './claiming.ts';
import type { DeliveryStatus } from './delivery.ts';
import type { Counted } from './counted.ts';
import { rejectedFieldLabel } from './rejected-field.ts';

/** What the ledger counts of itself. */
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

/** From well under a commit to a solid-state disk up to the wait that a pull bears at most. */
const commitSecondsBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2];
const commitEventsBounds = [1, 4, 16, 64, 256, 1024, 4096, 16_384];

/** Fields that `tonnage_ledger_store_rejected_changes_total` names. */
const rejectedFieldsMax = 100;

/** What is asked at each scrape. */
export interface LedgerSources {
  readonly unsavedEvents: () => number;
  readonly waitingEvents: () => number;
  readonly heldKeys: () => number;
  readonly delivery: () => DeliveryStatus | undefined;
  readonly claiming: () => ClaimingStatus | undefined;
  readonly counted: Counted;
  readonly voided: Counted;
}

/** Counts what became of events with an identity. */
export function countEvents(instruments: LedgerInstruments, results: readonly EventResult[]): void {
  for (const result of results) {
    if (result.status === 'duplicate') instruments.duplicateEvents.inc();
    else if (result.status === 'voided') instruments.voidedEvents.inc();
    else if (result.status === 'refused') instruments.refusedEvents.labels({ reason: result.reason }).inc();
  }
}

/** Counts what became of events that were claimed among several instances. */
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

/** Declares the ledger's families in `metrics`. */
export function ledgerInstruments(metrics: MetricSet, sources: LedgerSources): LedgerInstruments {
  declareUsage(metrics, sources);
  declareGauges(metrics, sources);
  return {
    commitSeconds: metrics.histogram({
      name: 'tonnage_ledger_commit_duration_seconds',
      unit: 'seconds',
      help: 'Time that a commit took, from handing it over until it was safe on disk.',
      buckets: commitSecondsBounds,
    }),
    commitEvents: metrics.histogram({
      name: 'tonnage_ledger_commit_events',
      help: 'Events that shared one commit.',
      buckets: commitEventsBounds,
    }),
    failedCommits: metrics.counter({
      name: 'tonnage_ledger_failed_commits',
      help: 'Tries of a commit that failed. Each is tried again; nothing is lost by it.',
    }),
    foldedEvents: metrics.counter({
      name: 'tonnage_ledger_folded_events',
      help: 'Events whose details were counted under __other__, since too many distinct cells waited for a commit.',
    }),
    duplicateEvents: metrics.counter({
      name: 'tonnage_ledger_duplicate_events',
      help: 'Events that had been counted before, and voids of what had been taken back before.',
    }),
    sharedDuplicateEvents: metrics.counter({
      name: 'tonnage_ledger_shared_duplicate_events',
      help: 'Events and voids that were accepted here and did not count, since another instance had them first.',
    }),
    voidedEvents: metrics.counter({
      name: 'tonnage_ledger_voided_events',
      help: 'Events that came after their void, and so were not counted.',
    }),
    refusedEvents: metrics.counter({
      name: 'tonnage_ledger_refused_events',
      help: 'Events that the ledger did not take, by reason.',
      labels: ['reason'],
    }),
    rejectedIncrements: metrics.counter({
      name: 'tonnage_ledger_rejected_increments',
      help: 'Increments that were noted and not added, since their sum would leave the range of 64-bit integers.',
    }),
    storeRejectedChanges: metrics.counter({
      name: 'tonnage_ledger_store_rejected_changes',
      help: 'Amounts that the store of totals keeps apart, by the field that holds no integer or would leave the range of 64-bit integers.',
      labels: ['field'],
      seriesMax: rejectedFieldsMax,
    }),
    foldedValues: metrics.counter({
      name: 'tonnage_ledger_folded_values',
      help: 'Values that were counted under __other__, since their dimension has too many on one day.',
      labels: ['dimension'],
    }),
  };
}

function declareUsage(metrics: MetricSet, { counted, voided }: LedgerSources): void {
  metrics.add({
    type: 'counter',
    name: 'tonnage_usage',
    help: 'What this data directory has counted, ever: by meter, organisation and architecture of the image.',
    points: lazily(() => counted.points()),
  });
  metrics.add({
    type: 'counter',
    name: 'tonnage_usage_voided',
    help: 'What was taken back of that again; tonnage_usage_total is never lowered.',
    points: lazily(() => voided.points()),
  });
}

function declareGauges(metrics: MetricSet, sources: LedgerSources): void {
  const { unsavedEvents, waitingEvents, heldKeys, delivery, claiming } = sources;
  metrics.gauge({
    name: 'tonnage_ledger_waiting_events',
    help: 'Events with an identity that wait for their commit, and their senders with them.',
    read: waitingEvents,
  });
  metrics.gauge({
    name: 'tonnage_ledger_held_keys',
    help: 'Keys of events that are held to know what is sent again; when there are too many no event is taken.',
    read: heldKeys,
  });
  metrics.gauge({
    name: 'tonnage_ledger_pending_claims',
    help: 'Events that are safe on disk and not counted yet, since it is not known whether another instance had them.',
    read: () => claiming()?.events ?? 0,
  });
  metrics.gauge({
    name: 'tonnage_ledger_outbox_batches',
    help: 'Committed batches that the store of totals does not have yet; 0 where the ledger keeps the totals itself.',
    read: () => delivery()?.waiting ?? 0,
  });
  metrics.gauge({
    name: 'tonnage_ledger_outbox_age_seconds',
    unit: 'seconds',
    help: 'How long the oldest of these has waited.',
    read: () => (delivery()?.ageMs ?? 0) / 1000,
  });
  metrics.gauge({
    name: 'tonnage_ledger_outbox_bytes',
    unit: 'bytes',
    help: 'Bytes of all batches in the outbox, those included that are kept although they were delivered.',
    read: () => delivery()?.bytes ?? 0,
  });
  metrics.gauge({
    name: 'tonnage_ledger_unsaved_events',
    help: 'Counted events in memory whose commit has not ended; they stay there until it succeeds.',
    read: unsavedEvents,
  });
}
