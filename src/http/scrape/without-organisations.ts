import { unreachable } from '../../base/index.ts';
import {
  labelSet,
  lazily,
  type CounterPoint,
  type LabelSet,
  type MetricFamily,
  type Value,
} from '../../metric/index.ts';
import { fieldOfEveryOrganisation } from '../../usage/index.ts';

/** Labels that name organisations, and what takes the place of a value that does. */
const naming: Readonly<Record<string, (value: string) => string>> = {
  org: () => '',
  field: fieldOfEveryOrganisation,
};

/**
 * Families without the names of organisations: counters and gauges that differ in nothing else are added up. Points of
 * other types that name one are left out, since they cannot be added.
 */
export function withoutOrganisations(families: readonly MetricFamily[]): readonly MetricFamily[] {
  return families.map((family): MetricFamily => {
    switch (family.type) {
      case 'counter':
      case 'gauge':
      case 'unknown':
        return { ...family, points: lazily(() => added(family.points)) };
      case 'histogram':
      case 'gaugehistogram':
        return { ...family, points: lazily(() => nameless(family.points)) };
      case 'summary':
        return { ...family, points: lazily(() => nameless(family.points)) };
      case 'info':
        return { ...family, points: lazily(() => nameless(family.points)) };
      case 'stateset':
        return { ...family, points: lazily(() => nameless(family.points)) };
      default:
        return unreachable(family);
    }
  });
}

/** The points one by one, and at the end the sums of those that name organisations. */
function* added<P extends CounterPoint>(points: Iterable<P>): Generator<P | CounterPoint> {
  const sums = new Map<string, CounterPoint>();
  for (const point of points) {
    const labels = withoutNames(point.labels);
    if (labels === undefined) {
      yield point;
      continue;
    }
    // A live family may reuse its points, so what is kept of one is copied.
    const { value, created } = point;
    const sum = sums.get(labels.closed);
    sums.set(labels.closed, { labels, value: sum === undefined ? value : plus(sum.value, value), created });
  }
  yield* sums.values();
}

function* nameless<P extends { readonly labels: LabelSet }>(points: Iterable<P>): Generator<P> {
  for (const point of points) if (withoutNames(point.labels) === undefined) yield point;
}

/** The labels without the names of organisations; `undefined` for labels that cannot have any. */
function withoutNames(labels: LabelSet): LabelSet | undefined {
  if (!labels.names.some((name) => name in naming)) return undefined;
  const entries = Object.entries(labels.toJSON());
  return labelSet(Object.fromEntries(entries.map(([name, value]) => [name, naming[name]?.(value) ?? value])));
}

function plus(one: Value, other: Value): Value {
  return typeof one === 'bigint' && typeof other === 'bigint' ? one + other : Number(one) + Number(other);
}
