import type { Log } from '../../base/index.ts';

/** Logs a metric that begins to leave out rows, once until all of its rows have values again. The map is by metric. */
export function noteOmitted(log: Log): (omitted: ReadonlyMap<string, number>) => void {
  let known = new Set<string>();
  return (omitted) => {
    for (const [metric, rows] of omitted) {
      if (known.has(metric)) continue;
      log.warn({ metric, rows }, 'rows without a value (NULL) give no series');
    }
    known = new Set(omitted.keys());
  };
}
