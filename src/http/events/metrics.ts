import {
  adapterNames,
  ignoredReasons,
  refusalReasons,
  type AdapterName,
  type EventRefusalReason,
  type EventsSummary,
} from '../../ingest/index.ts';
import type { Counter, MetricSet } from '../../metric/index.ts';

const outcomes = ['accepted', 'duplicate', 'voided', 'refused'] as const;
type Outcome = (typeof outcomes)[number];

/** What the ingest route counts. */
export interface EventInstruments {
  /** Counts the outcomes of one request; `adapter`: by whom it was read. */
  count(summary: EventsSummary, adapter?: AdapterName): void;
}

/** Declares the families of the ingest route in `metrics`, with all their series, so that a rate begins at 0. */
export function eventInstruments(metrics: MetricSet): EventInstruments {
  const events = metrics.counter({
    name: 'tonnage_ingest_events',
    help: 'Events that other systems sent, by what became of them; a batch that could not be committed is not among them.',
    labels: ['outcome'],
  });
  const refused = metrics.counter({
    name: 'tonnage_ingest_refused_events',
    help: 'Events of other systems that were refused, by reason.',
    labels: ['reason'],
  });
  const ignored = metrics.counter({
    name: 'tonnage_ingest_ignored_events',
    help: 'What registries told that is nothing to count, by the adapter that read it and the reason.',
    labels: ['adapter', 'reason'],
  });
  for (const adapter of adapterNames) for (const reason of ignoredReasons) ignored.labels({ adapter, reason });
  const byOutcome = new Map<Outcome, Counter>(outcomes.map((outcome) => [outcome, events.labels({ outcome })]));
  const byReason = new Map<EventRefusalReason, Counter>(
    refusalReasons.map((reason) => [reason, refused.labels({ reason })]),
  );
  return {
    count(summary, adapter) {
      for (const [outcome, counter] of byOutcome) if (summary[outcome] > 0) counter.inc(summary[outcome]);
      for (const [reason, count] of summary.reasons) byReason.get(reason)?.inc(count);
      if (adapter === undefined) return;
      for (const [reason, count] of summary.ignoredReasons) ignored.labels({ adapter, reason }).inc(count);
    },
  };
}
