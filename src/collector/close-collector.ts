import { endsWithin, limits, messageOf, type Log } from '../base/index.ts';
import type { Collector } from './contract.ts';

/** Closes a collector. Logs a failure or a wait beyond `limits.sourceCloseMsMax`, so that the process stops anyway. */
export async function closeCollector(name: string, collector: Collector, log: Log): Promise<void> {
  const waitedMs = limits.sourceCloseMsMax;
  try {
    if (!(await endsWithin(waitedMs, Promise.resolve(collector.close?.()))))
      log.warn({ source: name, waitedMs }, 'a source did not close in time');
  } catch (error) {
    log.warn({ source: name, error: messageOf(error) }, 'closing a source failed');
  }
}
