import { LabelNames, lazily, type GaugePoint, type MetricSet } from '../metric/index.ts';
import { sourceErrorClasses } from './source-error.ts';
import type { SourceStatus } from './source-state.ts';

type Statuses = () => readonly SourceStatus[];

/** Declares the families about sources in `metrics`. An unknown value has no series, because 0 would be wrong. */
export function declareSourceFamilies(metrics: MetricSet, statuses: Statuses): void {
  metrics.add({
    type: 'gauge',
    name: 'tonnage_source_up',
    help: 'Whether the last read of the source succeeded (1) or failed (0). Absent before the first read has ended.',
    points: eachSource(statuses, ({ up }) => (up === undefined ? undefined : Number(up))),
  });
  metrics.add({
    type: 'gauge',
    name: 'tonnage_source_last_success_timestamp_seconds',
    unit: 'seconds',
    help: 'When the last successful read of the source ended. The served data is from this read.',
    points: eachSource(statuses, ({ lastSuccess }) => lastSuccess),
  });
  metrics.add({
    type: 'gauge',
    name: 'tonnage_source_data_timestamp_seconds',
    unit: 'seconds',
    help: 'When the source created the data of its last successful read. Absent if unknown.',
    points: eachSource(statuses, ({ dataTimestamp }) => dataTimestamp),
  });
  metrics.add({
    type: 'gauge',
    name: 'tonnage_source_collect_duration_seconds',
    unit: 'seconds',
    help: 'Duration of the last read of the source, successful or not.',
    points: eachSource(statuses, ({ durationSeconds }) => durationSeconds),
  });
  const errorLabels = new LabelNames(['source', 'class']);
  metrics.add({
    type: 'counter',
    name: 'tonnage_source_errors',
    help: 'Failed reads of the source, by class of error.',
    points: lazily(function* () {
      for (const { name, errors } of statuses()) {
        for (const errorClass of sourceErrorClasses) {
          yield { labels: errorLabels.of([name, errorClass]), value: errors[errorClass] };
        }
      }
    }),
  });
}

const sourceLabels = new LabelNames(['source']);

function eachSource(statuses: Statuses, valueOf: (status: SourceStatus) => number | undefined): Iterable<GaugePoint> {
  return lazily(function* () {
    for (const status of statuses()) {
      const value = valueOf(status);
      if (value !== undefined) yield { labels: sourceLabels.of([status.name]), value };
    }
  });
}
