import { limits } from '../../base/index.ts';

/** Taken off what a scraper says it waits, so that our answer is there before it gives up. */
const marginMs = 250;

/**
 * How long a scrape may take, in whole milliseconds: what Prometheus says that it waits
 * (`X-Prometheus-Scrape-Timeout-Seconds`) less a margin, at most `limits.scrapeMsMax`, which also holds where the header is
 * absent or makes no sense.
 */
export function scrapeDeadlineMs(header: string | readonly string[] | undefined): number {
  const seconds = typeof header === 'string' ? Number(header) : Number.NaN;
  if (!(seconds > 0)) return limits.scrapeMsMax;
  return Math.min(Math.ceil(Math.max(seconds * 1000 - marginMs, seconds * 500)), limits.scrapeMsMax);
}
