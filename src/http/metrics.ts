import type { ServerResponse } from 'node:http';
import type { Log } from '../base/index.ts';
import type { Counter, Histogram, MetricSet } from '../metric/index.ts';
import { clientOf } from './forwarded.ts';
import { pathForLog } from './path-token.ts';

/** What the metrics listener counts of itself. */
export interface ScrapeInstruments {
  readonly durationSeconds: Histogram;
  readonly shared: Counter;
  readonly brokenOff: Counter;
}

/** Declares the scrape's own families in `metrics`. */
export function scrapeInstruments(metrics: MetricSet): ScrapeInstruments {
  return {
    durationSeconds: metrics.histogram({
      name: 'tonnage_scrape_duration_seconds',
      unit: 'seconds',
      help: 'Time from the request of a scrape until its last byte was handed to the network.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    }),
    shared: metrics.counter({
      name: 'tonnage_scrapes_shared',
      help: 'Scrapes that were answered with an exposition made for several at once, since too many came together.',
    }),
    brokenOff: metrics.counter({
      name: 'tonnage_scrapes_broken_off',
      help: 'Scrapes that ended early: the scraper left, the time was over, or a family could not be read.',
    }),
  };
}

/** Counts clients that are disconnected since they take nothing of their answers, and logs each. */
export function silentReaderNote(metrics: MetricSet, log: Log): (answer: ServerResponse) => void {
  const disconnected = metrics.counter({
    name: 'tonnage_silent_readers',
    help: 'Clients that were disconnected because they took nothing of their answer for gateway.readerSilence.',
  });
  return ({ req }) => {
    disconnected.inc();
    const client = clientOf(req.headers, req.socket.remoteAddress) || 'unknown';
    log.info({ client, path: pathForLog(req.url ?? '') }, 'a client took nothing of its answer and was disconnected');
  };
}
