import { messageOf, TonnageError } from '../../base/index.ts';
import { checkFamily, FamilyNames, labelSet, noLabels, type MetricFamily } from '../../metric/index.ts';
import { declaredMetric, type DeclaredMetric, type StatedMetric } from './metric.ts';

/** A problem of one metric of the configuration. */
interface MetricProblem {
  /** The key of the metric that the problem is about; empty for the metric itself. */
  readonly key: readonly string[];
  /** What was expected and what came. */
  readonly message: string;
}

/** Families that Tonnage gives itself begin with one of these. */
const ownPrefixes = ['tonnage_', 'process_', 'nodejs_'];

/** Checks the metrics of one source, in order, against the rules of metrics and against each other. */
export class MetricsCheck {
  readonly #names = new FamilyNames();

  /** The problems of the next metric. */
  problemsOf(stated: StatedMetric<unknown>): readonly MetricProblem[] {
    const keys = keyProblems(stated);
    const name = this.#nameProblem(declaredMetric(stated), stated.name);
    return name === undefined ? keys : [{ key: ['name'], message: name }, ...keys];
  }

  #nameProblem(metric: DeclaredMetric<unknown>, stated: string): string | undefined {
    const own = ownPrefixes.find((prefix) => metric.name.startsWith(prefix));
    const came = `but came ${JSON.stringify(stated)}`;
    if (own !== undefined)
      return `expected a name that does not begin with ${own}, as those of Tonnage itself do, ${came}`;
    const family = sampleOf(metric);
    const problem = problemOf(family) ?? this.#names.clash(family);
    if (problem !== undefined) return `${problem}, ${came}`;
    this.#names.claim(family);
    return undefined;
  }
}

/** The first problem of the names of a family, in words of the metric model. */
function problemOf(family: MetricFamily): string | undefined {
  try {
    checkFamily(family);
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof TonnageError)) throw thrown;
    return messageOf(thrown).replace(/^[^ ]+ [^ ]*?: /, '');
  }
}

/** A family with the names of the metric and one series. */
function sampleOf({ name, type, unit, labels, staticLabels }: DeclaredMetric<unknown>): MetricFamily {
  const names = [...new Set([...Object.keys(staticLabels), ...Object.keys(labels)])];
  const set = labelSet(Object.fromEntries(names.map((label) => [label, ''])));
  const common = { name, ...(unit !== undefined && { unit }) };
  switch (type) {
    case 'info':
      return { ...common, type, points: [{ labels: noLabels, info: set }] };
    case 'histogram':
    case 'gaugehistogram':
      return { ...common, type, points: [{ labels: set, bounds: [], counts: [0] }] };
    case 'gauge':
    case 'counter':
    case 'unknown':
      return { ...common, type, points: [{ labels: set, value: 0 }] };
  }
}

/** Keys that the type needs and that are missing, keys that it cannot use, and labels that are stated twice. */
function keyProblems(metric: StatedMetric<unknown>): readonly MetricProblem[] {
  const { type, labels, staticLabels, buckets, sum } = metric;
  const isHistogram = type === 'histogram' || type === 'gaugehistogram';
  const needed = isHistogram ? (['buckets', 'count'] as const) : type === 'info' ? [] : (['value'] as const);
  const possible = new Set<string>(isHistogram ? ['buckets', 'count', 'sum'] : needed);
  const missing = needed
    .filter((key) => metric[key] === undefined)
    .map((key) => ({ key: [], message: `expected ${key}, which a ${type} needs, but it is missing` }));
  const unused = (['value', 'buckets', 'count', 'sum'] as const)
    .filter((key) => metric[key] !== undefined && !possible.has(key))
    .map((key) => ({ key: [key], message: `expected another type, because ${type} has no ${key}` }));
  const twice = Object.keys(staticLabels)
    .filter((label) => Object.hasOwn(labels, label))
    .map((label) => ({ key: ['staticLabels', label], message: 'expected a label that is not in labels too' }));
  return [...missing, ...unused, ...twice, ...bucketProblems(buckets, type === 'histogram' && sum !== undefined)];
}

function bucketProblems(buckets: Readonly<Record<string, unknown>> | undefined, hasSum: boolean): MetricProblem[] {
  const bounds = Object.keys(buckets ?? {});
  const twice = bounds
    .filter((bound, index) => bounds.findIndex((other) => Number(other) === Number(bound)) < index)
    .map((bound) => ({ key: ['buckets', bound], message: 'expected each bound once' }));
  const isNegative = bounds.some((bound) => Number(bound) < 0);
  const sum = { key: ['sum'], message: 'expected no sum, because a histogram with a negative bound has none' };
  return hasSum && isNegative ? [...twice, sum] : twice;
}
