import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { limits, messageOf, TonnageError, type Clock, type ErrorCode, type Log } from '../base/index.ts';
import { encode, negotiate, paced, type Format } from '../exposition/index.ts';
import { isLoopbackHost, type Principal } from '../identity/index.ts';
import type { MetricFamily, MetricSet } from '../metric/index.ts';
import { errorHeaders } from './answer-error.ts';
import { isForwarded } from './forwarded.ts';
import type { Handler } from './listener.ts';
import { scrapeInstruments } from './metrics.ts';
import { isFromOtherSite } from './other-sites.ts';
import { problem, problemType } from './problem.ts';
import { chooseCoding, type ContentCoding } from './scrape/coding.ts';
import { scrapeDeadlineMs } from './scrape/deadline.ts';
import { filterFamilies } from './scrape/filter.ts';
import { Scrapes } from './scrape/scrapes.ts';
import { sendExposition, untilDeadline } from './scrape/send.ts';
import { withoutOrganisations, type VisibleNames } from './scrape/without-organisations.ts';
import { sendBody } from './send-body.ts';

/**
 * Which scrapers may see the names of organisations. `here`: scrapers on this machine that use a loopback Host header.
 * A loopback listener alone does not prove that: a page of another site can reach it through a browser (DNS rebinding),
 * and a proxy can forward remote requests to it.
 */
type NamesFor = 'all' | 'here' | 'none';

export interface MetricsHandlerOptions {
  /** Gathers all families. */
  readonly gather: () => readonly MetricFamily[];
  /** Default: `here`. */
  readonly organisationsFor?: NamesFor;
  /** Rejects if the scraper may not read the metrics. Absent: every scraper may. */
  readonly authorise?: ((request: IncomingMessage) => Promise<Principal>) | undefined;
  /** Brings what `gather` returns up to date, before each scrape. */
  readonly refresh?: () => Promise<void>;
  readonly metrics: MetricSet;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Creates the handler of the metrics listener. It serves `/metrics` only, in the format and coding that the scraper
 * accepts. `?name[]=` selects families. The exposition is sent while it is rendered, at the scraper's speed.
 */
export function createMetricsHandler(options: MetricsHandlerOptions): Handler {
  const scrapes = new Scrapes({ expositionsMax: limits.scrapesMax, bodiesMax: limits.scrapeBodiesMax });
  const instruments = scrapeInstruments(options.metrics);
  const { clock, log, authorise } = options;
  const answer = (request: IncomingMessage, response: ServerResponse, principal?: Principal): void => {
    const wanted = parseRequest(request, namesFor(request.headers, options.organisationsFor ?? 'here', principal));
    if (request.method === 'HEAD') return void response.writeHead(200, wanted.headers).end();
    const started = clock.monotonic();
    scrape(options, scrapes, wanted, response)
      .then((shared) => {
        instruments.durationSeconds.observe((clock.monotonic() - started) / 1000);
        if (shared) instruments.shared.inc();
      })
      .catch((error: unknown) => {
        instruments.brokenOff.inc();
        log.warn({ error: messageOf(error) }, 'scrape aborted');
        // The scraper must not take half an exposition for a complete one.
        if (response.headersSent) response.destroy();
        else if (error instanceof TonnageError) reject(response, error.code, error.message);
        else reject(response, 'internal_error', 'cannot read the metrics; see the server log');
      });
  };
  return (request, response) => {
    const path = request.url?.split('?', 1)[0];
    if (path !== '/metrics') return reject(response, 'not_found', 'this listener serves /metrics only');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return reject(response, 'method_not_allowed', 'expected GET or HEAD');
    }
    if (authorise === undefined) return answer(request, response);
    authorise(request).then(
      (principal) => answer(request, response, principal),
      (error: unknown) => refuse(response, error, log),
    );
  };
}

/** Answers a scraper that may not read the metrics. */
function refuse(response: ServerResponse, error: unknown, log: Log): void {
  if (error instanceof TonnageError) {
    return reject(response, error.code, error.message, errorHeaders(error, error.code, error.status));
  }
  log.error({ err: error }, 'cannot check the credentials of a scraper');
  reject(response, 'internal_error', 'cannot check the credentials; see the server log');
}

interface ScrapeRequest {
  readonly format: Format;
  readonly coding: ContentCoding;
  /** Families to send; empty: all. */
  readonly names: readonly string[];
  readonly organisations: VisibleNames;
  /** HTTP/1.0 has no chunks: without a length, the scraper could take half an exposition for a complete one. */
  readonly needsLength: boolean;
  readonly deadlineMs: number;
  /** Headers of the response. */
  readonly headers: Readonly<Record<string, string>>;
}

function parseRequest({ headers, httpVersion, url }: IncomingMessage, organisations: VisibleNames): ScrapeRequest {
  const format = negotiate(headers.accept);
  const coding = chooseCoding(headers['accept-encoding']);
  return {
    format,
    coding,
    names: new URLSearchParams(url?.split('?')[1]).getAll('name[]'),
    organisations,
    needsLength: httpVersion === '1.0' && coding === 'identity',
    deadlineMs: scrapeDeadlineMs(headers['x-prometheus-scrape-timeout-seconds']),
    headers: {
      'content-type': format.contentType,
      vary: 'Accept, Accept-Encoding',
      'cache-control': 'no-store',
      ...(coding !== 'identity' && { 'content-encoding': coding }),
    },
  };
}

/** The names of organisations that a scraper sees. A principal that is bound to an organisation sees no other name. */
function namesFor(headers: IncomingHttpHeaders, allowed: NamesFor, principal?: Principal): VisibleNames {
  const maySeeNames =
    allowed === 'all' || (allowed === 'here' && isLoopbackHost(headers.host) && !isForwarded(headers));
  if (!maySeeNames || isFromOtherSite(headers)) return 'none';
  if (principal?.org === undefined || principal.rights.has('admin')) return 'all';
  return { only: principal.org };
}

/** Answers one scrape. Resolves with whether its exposition was shared. Rejects if the response is incomplete. */
async function scrape(
  { gather, refresh, clock }: MetricsHandlerOptions,
  scrapes: Scrapes,
  { format, coding, names, organisations, needsLength, deadlineMs, headers }: ScrapeRequest,
  response: ServerResponse,
): Promise<boolean> {
  const key = JSON.stringify([format.contentType, names, organisations]);
  const make = () => {
    const families = filterFamilies(gather(), names);
    const visible = organisations === 'all' ? families : withoutOrganisations(families, organisations);
    return paced(encode(visible, format), clock);
  };
  await refresh?.();
  return untilDeadline(response, deadlineMs, (signal) =>
    scrapes.run({ key, make, whole: needsLength, signal }, (exposition) =>
      sendExposition(exposition, { coding, headers, response, signal }),
    ),
  );
}

function reject(
  response: ServerResponse,
  code: ErrorCode,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = problem(code, detail);
  sendBody(response, body.status, JSON.stringify(body), { 'content-type': problemType, ...headers });
}
