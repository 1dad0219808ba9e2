import { limits } from '../base/index.ts';
import { checkFamily, FamilyNames, type MetricFamily } from '../metric/index.ts';
import type { Collected } from './contract.ts';
import { SourceError } from './source-error.ts';

/** The data of a source until its next successful read: checked families with their points in memory. */
export interface Snapshot {
  readonly families: readonly MetricFamily[];
  /** When the source created the data, in Unix seconds. */
  readonly dataTimestamp: number | undefined;
}

/**
 * Copies the points of a collector's families into memory and checks them, so that writing an exposition cannot fail
 * later. Throws `SourceError` (`invalid`) or `metric_invalid` for invalid names, labels or values, and for more than
 * `limits.sourceSeriesMax` series.
 */
export function takeSnapshot(collected: Collected): Snapshot {
  const { families, dataTimestamp } = 'families' in collected ? collected : { families: collected };
  if (dataTimestamp !== undefined && !Number.isFinite(dataTimestamp)) {
    throw new SourceError('invalid', `expected the time of the data in Unix seconds, got ${dataTimestamp}`);
  }
  const quota = new SeriesQuota(limits.sourceSeriesMax);
  const kept = families.map((family) => inMemory(family, quota));
  for (const family of kept) checkFamily(family);
  return { families: kept, dataTimestamp };
}

/** The names `taken` plus those of `families`. Throws `SourceError` (`invalid`) if two clash. */
export function withNames(taken: FamilyNames | undefined, families: readonly MetricFamily[]): FamilyNames {
  const names = new FamilyNames(taken);
  for (const family of families) {
    const clash = names.clash(family);
    if (clash !== undefined) throw new SourceError('invalid', `${family.type} ${family.name}: ${clash}`);
    names.claim(family);
  }
  return names;
}

/** The same family with its points in an array. */
function inMemory(family: MetricFamily, quota: SeriesQuota): MetricFamily {
  switch (family.type) {
    case 'gauge':
    case 'unknown':
      return { ...family, points: quota.copy(family.points) };
    case 'counter':
      return { ...family, points: quota.copy(family.points) };
    case 'info':
      return { ...family, points: quota.copy(family.points) };
    case 'stateset':
      return { ...family, points: quota.copy(family.points) };
    case 'histogram':
    case 'gaugehistogram':
      return { ...family, points: quota.copy(family.points) };
    case 'summary':
      return { ...family, points: quota.copy(family.points) };
  }
}

/** Limits the points of one snapshot. */
class SeriesQuota {
  readonly #max: number;
  #left: number;

  constructor(max: number) {
    this.#max = max;
    this.#left = max;
  }

  copy<P>(points: Iterable<P>): readonly P[] {
    const kept: P[] = [];
    for (const point of points) {
      if (this.#left-- === 0) throw new SourceError('invalid', `expected at most ${this.#max} series, got more`);
      kept.push(point);
    }
    return kept;
  }
}
