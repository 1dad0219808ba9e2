import { LabelNames, noLabels, type MetricFamily } from '../../../metric/index.ts';

/** What a family of the runtime says of itself. */
export interface Figure {
  readonly type: 'gauge' | 'counter';
  readonly name: string;
  readonly help: string;
  readonly unit: Unit | undefined;
}

type Unit = 'bytes' | 'seconds';

export function gauge(name: string, help: string, unit?: Unit): Figure {
  return { type: 'gauge', name, help, unit };
}

/** `name` is without `_total`, which the sample gets by itself. */
export function counter(name: string, help: string, unit?: Unit): Figure {
  return { type: 'counter', name, help, unit };
}

/** A family of one value. None at all when the value is not known here: 0 would be wrong. */
export function single(figure: Figure, value: number | undefined): MetricFamily[] {
  return value === undefined ? [] : [{ ...figure, points: [{ labels: noLabels, value }] }];
}

/** A family with one label: a value for each of the label's values. */
export function byLabel(figure: Figure, label: string, values: Iterable<readonly [string, number]>): MetricFamily {
  const names = new LabelNames([label]);
  return { ...figure, points: Array.from(values, ([text, value]) => ({ labels: names.of([text]), value })) };
}
