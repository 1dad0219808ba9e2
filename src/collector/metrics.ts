import { LabelNames, lazily, type GaugePoint, type MetricSet } from '../metric/index.ts';
import { sourceErrorClasses } from './source-error.ts';
import type { SourceStatus } from './source-state.ts';

type Statuses = () => readonly SourceStatus[];

/** Declares the families about sources in `metrics`. What is not known of a source yet has no series: 0 would be wrong. */
export function declareSourceFamilies(metrics: MetricSet, statuses: Statuses): void {
  metrics.add({
    type: 'gauge',
    name: 'tonnage_source_up',
    help: 'Whether the last read of the source was good (1) or failed (0). Absent until the first read has ended.',
    points: eachSource(statuses, ({ up }) => (up === undefined ? undefined : Number(up))),
  });
  metrics.add({
    type: 'gauge',
    name: 'tonnage_source_last_success_timestamp_seconds',
    unit: 'seconds',
    help: 'When the last good read of the source ended: the data served is that of this read.',
    points: eachSource(statuses, ({ lastSuccess }) => lastSuccess),
  });
  metrics.add({
    type: 'gauge',
    name: 'tonnage_source_data_timestamp_seconds',
    unit: 'seconds',
    help: 'When the source itself made the data of its last good read. Absent where the data does not say.',
    points: eachSource(statuses, ({ dataTimestamp }) => dataTimestamp),
  });
  metrics.add({
    type: 'gauge',
    name: 'tonnage_source_collect_duration_seconds',
    unit: 'seconds',
    help: 'How long the last read of the source took, good or not.',
    points: eachSource(statuses, ({ durationSeconds }) => durationSeconds),
  });
  const errorLabels = new LabelNames(['source', 'class']);
  metrics.add({
    type: 'counter',
    name: 'tonnage_source_errors',
    help: 'Reads of the source that failed, by what went wrong.',
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
