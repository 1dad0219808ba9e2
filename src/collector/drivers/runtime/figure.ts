import { LabelNames, noLabels, type MetricFamily } from '../../../metric/index.ts';

/** The metadata of a family. */
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

/** `name` is without `_total`, which is added to the sample. */
export function counter(name: string, help: string, unit?: Unit): Figure {
  return { type: 'counter', name, help, unit };
}

/** A family with one value; none if the value is unknown, because 0 would be wrong. */
export function single(figure: Figure, value: number | undefined): MetricFamily[] {
  return value === undefined ? [] : [{ ...figure, points: [{ labels: noLabels, value }] }];
}

/** A family with one label, and a value for each label value. */
export function byLabel(figure: Figure, label: string, values: Iterable<readonly [string, number]>): MetricFamily {
  const names = new LabelNames([label]);
  return { ...figure, points: Array.from(values, ([text, value]) => ({ labels: names.of([text]), value })) };
}
