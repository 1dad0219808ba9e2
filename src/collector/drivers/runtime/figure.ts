import { LabelNames, noLabels, type MetricFamily } from '../../../metric/index.ts';

/** The metadata of a family. */
export interface Figure {
  readonly type: 'gauge' | 'counter';
  readonly name: string;
  readonly help: string;
  readonly unit: 'bytes' | 'seconds' | undefined;
}

/** `name` ends with the unit, if there is one. */
export function gauge(name: string, help: string): Figure {
  return { type: 'gauge', name, help, unit: unitOf(name) };
}

/** `name` ends with the unit, if there is one; `_total` is added to the sample. */
export function counter(name: string, help: string): Figure {
  return { type: 'counter', name, help, unit: unitOf(name) };
}

function unitOf(name: string): Figure['unit'] {
  return (['bytes', 'seconds'] as const).find((unit) => name.endsWith(`_${unit}`));
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
