import { limits, type Clock } from '../base/index.ts';
import { checkFamilySteps, copyPoint, seriesOf, type MetricFamily, type MetricPoint } from '../metric/index.ts';
import type { Collected } from './contract.ts';
import { SourceError } from './source-error.ts';
import { LabelAdder, type SeriesLabels, type StaticLabels } from './static-labels.ts';

/** The data of a source until its next successful read: checked families with their points in memory. */
export interface Snapshot extends SeriesLabels {
  readonly families: readonly MetricFamily[];
  /** Number of series of all families. */
  readonly series: number;
  /** When the source created the data, in Unix seconds. */
  readonly dataTimestamp: number | undefined;
}

/** The end of the year 9999 in Unix seconds. A timestamp in milliseconds is beyond it. */
const secondsMax = 253_402_300_799;

/** Points that are copied or checked between two looks at the clock. */
const pointsPerStep = 64;

/**
 * Copies the points of a collector's families into memory, adds the source's static labels to them and checks them, so
 * that writing an exposition cannot fail later. Throws `SourceError` (`invalid`) or `metric_invalid` for invalid names,
 * labels or values, and for more than `limits.sourceSeriesMax` series.
 */
export function takeSnapshot(collected: Collected, labels?: StaticLabels): Snapshot {
  const steps = snapshotSteps(collected, labels);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** As `takeSnapshot`, with a break for the event loop whenever it has blocked it for `limits.expositionStretchMsMax`. */
export async function takePacedSnapshot(
  collected: Collected,
  labels: StaticLabels | undefined,
  clock: Clock,
): Promise<Snapshot> {
  const steps = snapshotSteps(collected, labels);
  let begun = clock.monotonic();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (clock.monotonic() - begun < limits.expositionStretchMsMax) continue;
    await new Promise((resume) => setImmediate(resume));
    begun = clock.monotonic();
  }
}

function* snapshotSteps(collected: Collected, labels: StaticLabels = {}): Generator<void, Snapshot> {
  const { families, dataTimestamp } = 'families' in collected ? collected : { families: collected };
  if (dataTimestamp !== undefined && !(dataTimestamp >= 0 && dataTimestamp <= secondsMax)) {
    throw new SourceError('invalid', `expected the time of the data in Unix seconds, got ${dataTimestamp}`);
  }
  const copier = new Copier(labels);
  const kept: MetricFamily[] = [];
  for (const family of families) {
    const copied = yield* copier.copy(family);
    yield* checkFamilySteps(copied, pointsPerStep);
    kept.push(copied);
  }
  return { families: kept, labels, labelNames: copier.labelNames, series: copier.series, dataTimestamp };
}

/** Copies the families of one snapshot, with their static labels, up to the limit of series. */
class Copier {
  readonly #labels: LabelAdder;
  /** Series so far. */
  series = 0;
  /** Names of their labels so far. */
  readonly labelNames = new Set<string>();
  /** The names of the previous point, which most points share. */
  #names: readonly string[] = [];

  constructor(labels: StaticLabels) {
    this.#labels = new LabelAdder(labels);
  }

  /** The same family with its points in an array. The points keep their type: only their labels are replaced. */
  *copy<F extends MetricFamily>(family: F): Generator<void, F> {
    const subject = `${family.type} ${family.name}`;
    const points: MetricPoint[] = [];
    let untilStep = pointsPerStep;
    for (const point of family.points) {
      this.series += seriesOf(point);
      if (this.series > limits.sourceSeriesMax) {
        throw new SourceError('invalid', `expected at most ${limits.sourceSeriesMax} series, got more`);
      }
      if ('info' in point) this.#labels.reject(subject, point.info.names);
      const copied = copyPoint(point, this.#labels.add(subject, point.labels));
      if (copied.labels.names !== this.#names) this.#note(copied.labels.names);
      points.push(copied);
      if (--untilStep > 0) continue;
      untilStep = pointsPerStep;
      yield;
    }
    return { ...family, points };
  }

  #note(names: readonly string[]): void {
    for (const name of names) this.labelNames.add(name);
    this.#names = names;
  }
}
