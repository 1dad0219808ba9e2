import type { Counter, Histogram, MetricSet } from '../metric/index.ts';

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
