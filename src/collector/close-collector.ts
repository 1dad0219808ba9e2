import { endsWithin, limits, messageOf, type Log } from '../base/index.ts';
import type { Collector } from './contract.ts';

/**
 * Closes a collector, waiting `limits.sourceCloseMsMax` at most. A source that cannot be closed is a line in the log:
 * it must not keep the process from stopping.
 */
export async function closeCollector(name: string, collector: Collector, log: Log): Promise<void> {
  const waitedMs = limits.sourceCloseMsMax;
  try {
    if (!(await endsWithin(waitedMs, Promise.resolve(collector.close?.()))))
      log.warn({ source: name, waitedMs }, 'a source did not close in time');
  } catch (error) {
    log.warn({ source: name, error: messageOf(error) }, 'a source could not be closed');
  }
}
