import type { CounterPoint, MetricFamily } from './family.ts';
import type { LabelSet } from './labels.ts';

/** A point of any type of family. */
export type MetricPoint = MetricFamily['points'] extends Iterable<infer P> ? P : never;

/** The number of series of a point: of its samples in OpenMetrics, without creation times. */
export function seriesOf(point: MetricPoint): number {
  if ('bounds' in point) return point.counts.length + (point.sum === undefined ? 0 : 2);
  if ('quantiles' in point) {
    return point.values.length + Number(point.sum !== undefined) + Number(point.count !== undefined);
  }
  return 'states' in point ? point.states.length : 1;
}

/** A copy of a point with other labels, which does not change as an instrument counts. */
export function copyPoint(point: MetricPoint, labels: LabelSet): MetricPoint {
  const { timestamp } = point;
  if ('bounds' in point) {
    const { bounds, counts, sum, created, exemplars, native } = point;
    return { labels, timestamp, bounds, counts, sum, created, exemplars: exemplars?.slice(), native };
  }
  if ('quantiles' in point) {
    const { quantiles, values, sum, count, created } = point;
    return { labels, timestamp, quantiles, values, sum, count, created };
  }
  if ('states' in point) return { labels, timestamp, states: point.states, on: point.on.slice() };
  if ('info' in point) return { labels, timestamp, info: point.info };
  // A point of a gauge has neither.
  const { value, created, exemplar }: CounterPoint = point;
  if (created === undefined && exemplar === undefined) return { labels, timestamp, value };
  const copy: CounterPoint = { labels, timestamp, value, created, exemplar };
  return copy;
}
