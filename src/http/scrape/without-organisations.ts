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

/** Labels that name organisations, and how each value is anonymised. */
const anonymised: Readonly<Record<string, (value: string) => string>> = {
  org: () => '',
  field: fieldOfEveryOrganisation,
};

/**
 * Removes the names of organisations. Counters and gauges that then have the same labels are added up. Points of other
 * types that name an organisation are dropped, because they cannot be added.
 */
export function withoutOrganisations(families: readonly MetricFamily[]): readonly MetricFamily[] {
  return families.map((family): MetricFamily => {
    switch (family.type) {
      case 'counter':
      case 'gauge':
      case 'unknown':
        return { ...family, points: lazily(() => summed(family.points)) };
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

/** Yields the points without organisations, then the sums of the others. */
function* summed<P extends CounterPoint>(points: Iterable<P>): Generator<P | CounterPoint> {
  const sums = new Map<string, CounterPoint>();
  for (const point of points) {
    const labels = withoutNames(point.labels);
    if (labels === undefined) {
      yield point;
      continue;
    }
    // Copy the point: a live family may reuse its points.
    const { value, created } = point;
    const sum = sums.get(labels.closed);
    sums.set(labels.closed, { labels, value: sum === undefined ? value : plus(sum.value, value), created });
  }
  yield* sums.values();
}

function* nameless<P extends { readonly labels: LabelSet }>(points: Iterable<P>): Generator<P> {
  for (const point of points) if (withoutNames(point.labels) === undefined) yield point;
}

/** Returns the anonymised labels; `undefined` if no label names an organisation. */
function withoutNames(labels: LabelSet): LabelSet | undefined {
  if (!labels.names.some((name) => name in anonymised)) return undefined;
  const entries = Object.entries(labels.toJSON());
  return labelSet(Object.fromEntries(entries.map(([name, value]) => [name, anonymised[name]?.(value) ?? value])));
}

function plus(one: Value, other: Value): Value {
  return typeof one === 'bigint' && typeof other === 'bigint' ? one + other : Number(one) + Number(other);
}
