import { limits } from '../base/index.ts';
import { checkFamily, FamilyNames, type MetricFamily } from '../metric/index.ts';
import type { Collected } from './contract.ts';
import { SourceError } from './source-error.ts';

/** What a source is served from until its next good read: families whose points lie in memory and have been checked. */
export interface Snapshot {
  readonly families: readonly MetricFamily[];
  /** When the source made the data, in Unix seconds. */
  readonly dataTimestamp: number | undefined;
}

/**
 * Takes what a collector found. Iterates the points once and keeps them, so that nothing can fail later, while an
 * exposition is being written. Throws `SourceError` (`invalid`) or `metric_invalid` for what no exposition may show:
 * wrong names, labels or values, more than `limits.sourceSeriesMax` series.
 */
export function takeSnapshot(collected: Collected): Snapshot {
  const { families, dataTimestamp } = 'families' in collected ? collected : { families: collected };
  if (dataTimestamp !== undefined && !Number.isFinite(dataTimestamp)) {
    throw new SourceError('invalid', `expected the time of the data in Unix seconds, got ${dataTimestamp}`);
  }
  const room = new Room(limits.sourceSeriesMax);
  const kept = families.map((family) => inMemory(family, room));
  for (const family of kept) checkFamily(family);
  return { families: kept, dataTimestamp };
}

/** `taken` and the names of `families`. Throws `SourceError` (`invalid`) when two of them would clash. */
export function withNames(taken: FamilyNames | undefined, families: readonly MetricFamily[]): FamilyNames {
  const names = new FamilyNames(taken);
  for (const family of families) {
    const clash = names.clash(family);
    if (clash !== undefined) throw new SourceError('invalid', `${family.type} ${family.name}: ${clash}`);
    names.claim(family);
  }
  return names;
}

/** The same family, its points in an array. */
function inMemory(family: MetricFamily, room: Room): MetricFamily {
  switch (family.type) {
    case 'gauge':
    case 'unknown':
      return { ...family, points: room.keep(family.points) };
    case 'counter':
      return { ...family, points: room.keep(family.points) };
    case 'info':
      return { ...family, points: room.keep(family.points) };
    case 'stateset':
      return { ...family, points: room.keep(family.points) };
    case 'histogram':
    case 'gaugehistogram':
      return { ...family, points: room.keep(family.points) };
    case 'summary':
      return { ...family, points: room.keep(family.points) };
  }
}

/** The points that one snapshot may still keep. */
class Room {
  readonly #max: number;
  #left: number;

  constructor(max: number) {
    this.#max = max;
    this.#left = max;
  }

  keep<P>(points: Iterable<P>): readonly P[] {
    const kept: P[] = [];
    for (const point of points) {
      if (this.#left-- === 0) throw new SourceError('invalid', `expected at most ${this.#max} series, got more`);
      kept.push(point);
    }
    return kept;
  }
}
