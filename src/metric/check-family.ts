import { TonnageError } from '../base/index.ts';
import type { HistogramPoint, MetricFamily, SummaryPoint, Value } from './family.ts';
import type { LabelSet } from './labels.ts';
import { shown } from './misuse.ts';
import { labelNamesProblem } from './label-problems.ts';
import { familyProblem } from './name-problems.ts';
import { reservedLabels } from './sample-names.ts';

/**
 * Checks a family that no instrument has made: its names, its values, and that no label set occurs twice at one
 * timestamp. Reads all points. Throws `metric_invalid` with the family, the labels and the value.
 */
export function checkFamily(family: MetricFamily): void {
  for (const _ of checkFamilySteps(family, Infinity));
}

/** As `checkFamily`, in steps of `pointsPerStep` points: the caller may pause after each. */
export function* checkFamilySteps(family: MetricFamily, pointsPerStep: number): Generator<void, void> {
  const subject = `${family.type} ${family.name}`;
  const problem = familyProblem(family, []);
  if (problem !== undefined) reject(subject, problem);
  const reserved = reservedLabels(family.type, family.name);
  const checked = new Set<readonly string[]>();
  const seen = new Set<string>();
  let untilStep = pointsPerStep;
  for (const { labels, timestamp, problem: valueProblem } of pointsOf(family)) {
    if (!checked.has(labels.names)) {
      const labelProblem = labelNamesProblem(labels.names, reserved);
      if (labelProblem !== undefined) reject(`${subject}{${labels.text}}`, labelProblem);
      checked.add(labels.names);
    }
    // A number cannot begin the text of labels, so a key is unambiguous.
    const key = timestamp === undefined ? labels.closed : `${timestamp} ${labels.closed}`;
    if (seen.has(key)) reject(`${subject}{${labels.text}}`, 'the label set occurs twice');
    seen.add(key);
    if (valueProblem !== undefined) reject(`${subject}{${labels.text}}`, valueProblem);
    if (--untilStep > 0) continue;
    untilStep = pointsPerStep;
    yield;
  }
}

interface Checked {
  readonly labels: LabelSet;
  readonly timestamp: number | undefined;
  readonly problem: string | undefined;
}

/** Each point with the problem of its value. The labels of an info point include its facts. */
function* pointsOf(family: MetricFamily): Generator<Checked> {
  switch (family.type) {
    case 'gauge':
    case 'unknown':
      for (const { labels, timestamp } of family.points) yield { labels, timestamp, problem: undefined };
      break;
    case 'counter':
      for (const { labels, timestamp, value } of family.points) {
        yield { labels, timestamp, problem: amountProblem('a total', value) };
      }
      break;
    case 'info':
      for (const { labels, timestamp, info } of family.points) {
        yield { labels: labels.with(info), timestamp, problem: undefined };
      }
      break;
    case 'stateset':
      for (const { labels, timestamp, states, on } of family.points) {
        const isComplete = states.length === on.length && new Set(states).size === states.length;
        yield { labels, timestamp, problem: isComplete ? undefined : 'expected each state once, either on or off' };
      }
      break;
    case 'histogram':
    case 'gaugehistogram':
      for (const point of family.points) {
        const problem = bucketsProblem(point) ?? histogramSumProblem(point, family.type === 'gaugehistogram');
        yield { labels: point.labels, timestamp: point.timestamp, problem };
      }
      break;
    case 'summary':
      for (const point of family.points) {
        yield { labels: point.labels, timestamp: point.timestamp, problem: summaryProblem(point) };
      }
      break;
  }
}

function amountProblem(what: string, value: Value | undefined): string | undefined {
  return value === undefined || value >= 0 ? undefined : `expected ${what} of at least 0, got ${shown(value)}`;
}

function bucketsProblem({ bounds, counts }: HistogramPoint): string | undefined {
  if (counts.length !== bounds.length + 1) {
    return `expected ${bounds.length + 1} bucket counts for ${bounds.length} bounds, got ${counts.length}`;
  }
  for (const [index, count] of counts.entries()) {
    const bound = bounds[index];
    const boundBefore = bounds[index - 1] ?? -Infinity;
    if (bound !== undefined && !(bound > boundBefore)) return `expected ascending bounds, got ${bound}`;
    if (!(count >= (counts[index - 1] ?? 0))) return `expected cumulative bucket counts, got ${shown(count)}`;
  }
  return undefined;
}

function histogramSumProblem({ bounds, sum }: HistogramPoint, mayFall: boolean): string | undefined {
  const negativeBounds = (bounds[0] ?? 0) < 0;
  if (sum !== undefined && negativeBounds && !mayFall) return 'expected no sum with negative bounds';
  if (sum !== undefined && Number.isNaN(Number(sum))) return 'expected a sum that is a number, got NaN';
  return negativeBounds ? undefined : amountProblem('a sum', sum);
}

function summaryProblem({ quantiles, values, sum, count }: SummaryPoint): string | undefined {
  if (quantiles.length !== values.length) {
    return `expected a value for each of ${quantiles.length} quantiles, got ${values.length}`;
  }
  const outside = quantiles.find((quantile) => !(quantile >= 0 && quantile <= 1));
  if (outside !== undefined) return `expected quantiles from 0 to 1, got ${outside}`;
  const negative = values.find((value) => value < 0);
  if (negative !== undefined) return `expected quantile values of at least 0, got ${shown(negative)}`;
  return amountProblem('a sum', sum) ?? amountProblem('a count', count);
}

function reject(subject: string, problem: string): never {
  throw new TonnageError('metric_invalid', `${subject}: ${problem}`);
}
