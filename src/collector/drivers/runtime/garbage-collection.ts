import { constants, PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import type { MetricSet } from '../../../metric/index.ts';

/** Pauses range from a tenth of a millisecond, for young objects, to seconds, for a large heap. */
const pauseBounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

/** V8's kinds of collections. `minor` includes both kinds of collecting young objects only. */
const kinds = new Map<unknown, Kind>([
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MINOR_MARK_SWEEP, 'minor'],
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);
type Kind = 'minor' | 'major' | 'incremental' | 'weakcb';

/** Measures every garbage collection of the main thread until it is closed. */
export class GarbageCollections {
  readonly #observer: PerformanceObserver;
  readonly #observe: (entry: PerformanceEntry) => void;

  /** Declares `nodejs_gc_duration_seconds` in `metrics`. */
  constructor(metrics: MetricSet) {
    const pauses = metrics.histogram({
      name: 'nodejs_gc_duration_seconds',
      unit: 'seconds',
      help: 'Pauses of the main thread for garbage collections: of young objects (minor), of all objects (major), incremental steps (incremental), callbacks of weak references (weakcb).',
      labels: ['kind'],
      buckets: pauseBounds,
    });
    // Expose a kind that has not occurred yet as 0.
    for (const kind of kinds.values()) pauses.labels({ kind });
    this.#observe = (entry) => {
      const kind = kindOf(entry);
      if (kind !== undefined) pauses.labels({ kind }).observe(entry.duration / 1000);
    };
    this.#observer = new PerformanceObserver((list) => list.getEntries().forEach(this.#observe));
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** Adds measurements that are not reported yet, because reports are delayed. */
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
