import {
  adapterNames,
  ignoredReasons,
  refusalReasons,
  type AdapterName,
  type EventsSummary,
} from '../../ingest/index.ts';
import type { MetricSet } from '../../metric/index.ts';

const outcomes = ['accepted', 'duplicate', 'voided', 'refused'] as const;

/** Instruments of the ingest routes. */
interface EventInstruments {
  /** Counts the outcomes of one request. `adapter`: the adapter that parsed it, if any. */
  count(summary: EventsSummary, adapter?: AdapterName): void;
}

/** Declares the families in `metrics`, with all their series, so that rates start at 0. */
export function eventInstruments(metrics: MetricSet): EventInstruments {
  const events = metrics.counter({
    name: 'tonnage_ingest_events',
    help: 'Events from other systems by outcome, without batches that could not be committed.',
    labels: ['outcome'],
  });
  const refused = metrics.counter({
    name: 'tonnage_ingest_refused_events',
    help: 'Events from other systems that were refused, by reason.',
    labels: ['reason'],
  });
  const ignored = metrics.counter({
    name: 'tonnage_ingest_ignored_events',
    help: 'Notifications that are not counted, by adapter and reason.',
    labels: ['adapter', 'reason'],
  });
  for (const adapter of adapterNames) for (const reason of ignoredReasons) ignored.labels({ adapter, reason });
  for (const outcome of outcomes) events.labels({ outcome });
  for (const reason of refusalReasons) refused.labels({ reason });
  return {
    count(summary, adapter) {
      for (const outcome of outcomes) if (summary[outcome] > 0) events.labels({ outcome }).inc(summary[outcome]);
      for (const [reason, count] of summary.reasons) refused.labels({ reason }).inc(count);
      if (adapter === undefined) return;
      for (const [reason, count] of summary.ignoredReasons) ignored.labels({ adapter, reason }).inc(count);
    },
  };
}
