import { constants, PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import type { MetricSet } from '../../../metric/index.ts';

/** Pauses range from a tenth of a millisecond, for young objects, to seconds, for a large heap. */
const pauseBounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** What V8 calls its collections. Both ways of collecting young objects alone are `minor`. */
const kinds = new Map<unknown, Kind>([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MINOR_MARK_SWEEP, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);
type Kind = 'minor' | 'major' | 'incremental' | 'weakcb';

/** Measures every garbage collection of the main thread, from now on until it is closed. */
export class GarbageCollections {
  readonly #observer: PerformanceObserver;
  readonly #observe: (entry: PerformanceEntry) => void;

  /** Declares `nodejs_gc_duration_seconds` in `metrics`. */
  constructor(metrics: MetricSet) {
    const pauses = metrics.histogram({
      name: 'nodejs_gc_duration_seconds',
      unit: 'seconds',
      help: 'How long garbage collections held the main thread: of young objects (minor), of all (major), steps of one (incremental), callbacks of weak references (weakcb).',
      labels: ['kind'],
      buckets: pauseBounds,
    });
    // A kind that has not occurred yet has happened 0 times, and says so.
    for (const kind of kinds.values()) pauses.labels({ kind });
    this.#observe = (entry) => {
      const kind = kindOf(entry);
      if (kind !== undefined) pauses.labels({ kind }).observe(entry.duration / 1000);
    };
    this.#observer = new PerformanceObserver((list) => list.getEntries().forEach(this.#observe));
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** Takes in what has been measured and not been reported yet: reports come with a delay. */
  update(): void {
    this.#observer.takeRecords().forEach(this.#observe);
  }

  close(): void {
    this.#observer.disconnect();
  }
}

function kindOf(entry: PerformanceEntry): Kind | undefined {
  const detail: unknown = 'detail' in entry ? entry.detail : undefined;
  return typeof detail === 'object' && detail !== null && 'kind' in detail ? kinds.get(detail.kind) : undefined;
}
