import { lazily, type GaugeFamily, type GaugePoint, type LabelSet, type Value } from '../../../metric/index.ts';

/** The values of a gauge by label set. Values of equal label sets are added up. */
export class Sums {
  readonly #values = new Map<string, { readonly labels: LabelSet; value: Value }>();

  add(labels: LabelSet, value: Value): void {
    const present = this.#values.get(labels.closed);
    if (present === undefined) this.#values.set(labels.closed, { labels, value });
    else present.value = sumOf(present.value, value);
  }

  /** The points, and one with the value 0 for each label set of `zeros` that has no value. */
  points(zeros: Iterable<LabelSet>): Iterable<GaugePoint> {
    const values = this.#values;
    return lazily(function* () {
      yield* values.values();
      for (const labels of zeros) if (!values.has(labels.closed)) yield { labels, value: 0 };
    });
  }
}

/** A gauge with these points. */
export function gauge(name: string, help: string, points: Iterable<GaugePoint>): GaugeFamily {
  return { type: 'gauge', name, help, points };
}

function sumOf(one: Value, other: Value): Value {
  if (typeof one === 'number' && typeof other === 'number') {
    const sum = one + other;
    if (Number.isSafeInteger(sum) || !Number.isInteger(sum)) return sum;
  }
  return BigInt(one) + BigInt(other);
}
