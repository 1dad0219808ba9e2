import { limits } from '../../base/index.ts';

/** Subtracted from the scraper's timeout, so that an error response arrives before it. */
const marginMs = 250;

/**
 * Returns how long a scrape may take, in whole milliseconds: the scraper's timeout (`X-Prometheus-Scrape-Timeout-Seconds`)
 * less a margin, at most `limits.scrapeMsMax`. That limit is also the default if the header is missing or invalid.
 */
export function scrapeDeadlineMs(header: string | readonly string[] | undefined): number {
  const seconds = typeof header === 'string' ? Number(header) : Number.NaN;
  if (!(seconds > 0)) return limits.scrapeMsMax;
  return Math.min(Math.ceil(Math.max(seconds * 1000 - marginMs, seconds * 500)), limits.scrapeMsMax);
}
