import type { ServerResponse } from 'node:http';
import type { Log } from '../base/index.ts';
import type { Counter, Gauge, Histogram, Labelled, MetricSet } from '../metric/index.ts';
import { clientOf } from './forwarded.ts';
import { pathForLog } from './path-token.ts';

/** Instruments of the metrics listener. */
interface ScrapeInstruments {
  readonly durationSeconds: Histogram;
  readonly shared: Counter;
  readonly brokenOff: Counter;
}

export function scrapeInstruments(metrics: MetricSet): ScrapeInstruments {
  return {
    durationSeconds: metrics.histogram({
      name: 'tonnage_scrape_duration_seconds',
      unit: 'seconds',
      help: 'Time from the request of a scrape until its last byte was handed to the kernel.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    }),
    shared: metrics.counter({
      name: 'tonnage_scrapes_shared',
      help: 'Scrapes that shared an exposition, because too many arrived at the same time.',
    }),
    brokenOff: metrics.counter({
      name: 'tonnage_scrapes_broken_off',
      help: 'Scrapes that ended early: the scraper disconnected, the deadline passed, or a family could not be read.',
    }),
  };
}

/** Instruments of the pages of sources. `bodyBytes` reads the size of all cached bodies. */
export function pageInstruments(metrics: MetricSet, bodyBytes: () => number): { readonly renderings: Counter } {
  metrics.gauge({
    name: 'tonnage_page_body_bytes',
    unit: 'bytes',
    help: 'Size of the cached bodies of pages of sources.',
    read: bodyBytes,
  });
  return {
    renderings: metrics.counter({
      name: 'tonnage_page_renderings',
      help: 'Bodies of pages of sources that were rendered for the cache. Other requests got a cached body.',
    }),
  };
}

/** Instruments of listeners with TLS. */
interface TlsInstruments {
  readonly expirySeconds: Labelled<Gauge, 'listener'>;
  readonly failedHandshakes: Labelled<Counter, 'listener' | 'reason'>;
}

export function tlsInstruments(metrics: MetricSet): TlsInstruments {
  return {
    expirySeconds: metrics.gauge({
      name: 'tonnage_tls_certificate_expiry_timestamp_seconds',
      unit: 'seconds',
      help: 'Time at which the certificate that the listener uses expires, or an earlier expiry in its chain.',
      labels: ['listener'],
    }),
    failedHandshakes: metrics.counter({
      name: 'tonnage_tls_failed_handshakes',
      help: 'Connections to a listener with TLS that ended before a request, by reason.',
      labels: ['listener', 'reason'],
    }),
  };
}

/** Creates the function that counts and logs each client that was disconnected because it read no bytes. */
export function silentReaderReport(metrics: MetricSet, log: Log): (answer: ServerResponse) => void {
  const disconnected = metrics.counter({
    name: 'tonnage_silent_readers',
    help: 'Clients that Tonnage disconnected because they read no bytes of the answer for gateway.readerSilence.',
  });
  return ({ req }) => {
    disconnected.inc();
    const client = clientOf(req.headers, req.socket.remoteAddress) || 'unknown';
    log.info(
      { client, path: pathForLog(req.url ?? '') },
      'disconnected a client that read no bytes of the answer for gateway.readerSilence',
    );
  };
}
