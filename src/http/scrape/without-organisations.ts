import { unreachable } from '../../base/index.ts';
import {
  labelSet,
  lazily,
  type CounterPoint,
  type LabelSet,
  type MetricFamily,
  type Value,
} from '../../metric/index.ts';
import { fieldOfEveryOrganisation, parseWaveField } from '../../usage/index.ts';

/** The names of organisations that a scraper sees: all, none or one. */
export type VisibleNames = 'all' | 'none' | { readonly only: string };

/** Labels that name organisations: the organisation in a value, and the value without it. */
const naming: Readonly<Record<string, { of(value: string): string | undefined; without(value: string): string }>> = {
  org: { of: (value) => value, without: () => '' },
  field: { of: (value) => parseWaveField(value)?.org, without: fieldOfEveryOrganisation },
};

/**
 * Removes the names of organisations, except the visible one. Counters and gauges that then have the same labels are
 * added up. Points of other types that name an organisation are dropped, because they cannot be added.
 */
export function withoutOrganisations(
  families: readonly MetricFamily[],
  visible: Exclude<VisibleNames, 'all'>,
): readonly MetricFamily[] {
  const own = visible === 'none' ? undefined : visible.only;
  return families.map((family): MetricFamily => {
    switch (family.type) {
      case 'counter':
      case 'gauge':
      case 'unknown':
        return { ...family, points: lazily(() => summed(family.points, own)) };
      case 'histogram':
      case 'gaugehistogram':
        return { ...family, points: lazily(() => nameless(family.points, own)) };
      case 'summary':
        return { ...family, points: lazily(() => nameless(family.points, own)) };
      case 'info':
        return { ...family, points: lazily(() => nameless(family.points, own)) };
      case 'stateset':
        return { ...family, points: lazily(() => nameless(family.points, own)) };
      default:
        return unreachable(family);
    }
  });
}

/** Yields the points without organisations and those of `own`, then the sums of the others. */
function* summed<P extends CounterPoint>(points: Iterable<P>, own: string | undefined): Generator<P | CounterPoint> {
  const sums = new Map<string, CounterPoint>();
  for (const point of points) {
    const labels = withoutNames(point.labels, own);
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

function* nameless<P extends { readonly labels: LabelSet }>(
  points: Iterable<P>,
  own: string | undefined,
): Generator<P> {
  for (const point of points) if (withoutNames(point.labels, own) === undefined) yield point;
}

/** Returns the anonymised labels; `undefined` if no label names an organisation, or all that do name `own`. */
function withoutNames(labels: LabelSet, own: string | undefined): LabelSet | undefined {
  if (!labels.names.some((name) => name in naming)) return undefined;
  const entries = Object.entries(labels.toJSON());
  const isVisible = entries.every(([name, value]) => naming[name] === undefined || naming[name].of(value) === own);
  if (own !== undefined && isVisible) return undefined;
  return labelSet(Object.fromEntries(entries.map(([name, value]) => [name, naming[name]?.without(value) ?? value])));
}

function plus(one: Value, other: Value): Value {
  return typeof one === 'bigint' && typeof other === 'bigint' ? one + other : Number(one) + Number(other);
}
