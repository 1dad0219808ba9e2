import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { limits, messageOf, TonnageError, type Clock, type ErrorCode, type Log } from '../base/index.ts';
import { encode, negotiate, paced, type Format } from '../exposition/index.ts';
import { isLoopbackHost } from '../identity/index.ts';
import type { MetricFamily, MetricSet } from '../metric/index.ts';
import { isForwarded } from './forwarded.ts';
import type { Handler } from './listener.ts';
import { scrapeInstruments } from './metrics.ts';
import { isFromOtherSite } from './other-sites.ts';
import { problem, problemType } from './problem.ts';
import { chooseCoding, compressor, type ContentCoding } from './scrape/coding.ts';
import { scrapeDeadlineMs } from './scrape/deadline.ts';
import { filterFamilies } from './scrape/filter.ts';
import { Scrapes, type Exposition } from './scrape/scrapes.ts';
import { withoutOrganisations } from './scrape/without-organisations.ts';

/**
 * Which scrapers may read the names of organisations. `here`: those on this machine, that is, under the `Host` headers that
 * the API accepts without credentials. That the listener is a loopback one is not enough: a page of another site can reach
 * it through a browser (DNS rebinding), and a proxy forwards requests from elsewhere.
 */
export type NamesFor = 'all' | 'here' | 'none';

export interface MetricsHandlerOptions {
  /** All families, gathered anew. */
  readonly gather: () => readonly MetricFamily[];
  /** Default: `here`. */
  readonly organisationsFor?: NamesFor;
  readonly metrics: MetricSet;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The metrics listener: `GET /metrics` in the format and coding that the scraper asks for, `?name[]=` for some families
 * only, and nothing else. An exposition is sent while it is made, at the scraper's speed.
 */
export function createMetricsHandler(options: MetricsHandlerOptions): Handler {
  const scrapes = new Scrapes({ expositionsMax: limits.scrapesMax, bodiesMax: limits.scrapeBodiesMax });
  const instruments = scrapeInstruments(options.metrics);
  const { clock, log } = options;
  return (request, response) => {
    const path = request.url?.split('?', 1)[0];
    if (path !== '/metrics') return refuse(response, 'not_found', 'this listener has /metrics only');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return refuse(response, 'method_not_allowed', 'expected GET or HEAD');
    }
    const question = questionOf(request, options.organisationsFor ?? 'here');
    if (request.method === 'HEAD') return void response.writeHead(200, question.headers).end();
    const started = clock.monotonic();
    scrape(options, scrapes, question, response)
      .then((shared) => {
        instruments.durationSeconds.observe((clock.monotonic() - started) / 1000);
        if (shared) instruments.shared.inc();
      })
      .catch((error: unknown) => {
        instruments.brokenOff.inc();
        log.warn({ error: messageOf(error) }, 'a scrape was broken off');
        if (!response.headersSent) return refuseFor(response, error);
        // Nobody may take half an exposition for a whole one.
        response.destroy();
      });
  };
}

/** What a scraper asks for. */
interface Question {
  readonly format: Format;
  readonly coding: ContentCoding;
  /** Families to answer; empty: all of them. */
  readonly names: readonly string[];
  /** Whether the scraper may read the names of organisations. */
  readonly organisations: boolean;
  /** The end of the connection is all that would end the answer, so that half of it could pass for the whole. */
  readonly needsLength: boolean;
  readonly deadlineMs: number;
  /** Of the answer. */
  readonly headers: Readonly<Record<string, string>>;
}

function questionOf({ headers, httpVersion, url }: IncomingMessage, organisationsFor: NamesFor): Question {
  const format = negotiate(headers.accept);
  const coding = chooseCoding(headerText(headers['accept-encoding']));
  return {
    format,
    coding,
    names: new URLSearchParams(url?.split('?')[1]).getAll('name[]'),
    organisations: mayReadNames(headers, organisationsFor),
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

function mayReadNames(headers: IncomingHttpHeaders, namesFor: NamesFor): boolean {
  if (namesFor === 'none' || isFromOtherSite(headers)) return false;
  return namesFor === 'all' || (isLoopbackHost(headers.host) && !isForwarded(headers));
}

/** Answers one scrape; resolves with whether it was shared, rejects when it could not be answered whole. */
async function scrape(
  { gather, clock }: MetricsHandlerOptions,
  scrapes: Scrapes,
  { format, coding, names, organisations, needsLength, deadlineMs, headers }: Question,
  response: ServerResponse,
): Promise<boolean> {
  const gone = new AbortController();
  response.once('close', () => response.writableFinished || gone.abort());
  const deadline = AbortSignal.timeout(deadlineMs);
  const signal = AbortSignal.any([deadline, gone.signal]);
  const key = JSON.stringify([format.contentType, names, organisations]);
  const make = () => {
    const families = filterFamilies(gather(), names);
    return paced(encode(organisations ? families : withoutOrganisations(families), format), clock);
  };
  const send = async (exposition: Exposition): Promise<void> => {
    const length = coding === 'identity' && exposition.kind === 'whole' ? exposition.length : undefined;
    response.writeHead(200, { ...headers, ...(length !== undefined && { 'content-length': length }) });
    const body = Readable.from(exposition.chunks, { objectMode: false });
    const compress = compressor(coding);
    if (compress) await pipeline(body, compress, response, { signal });
    else await pipeline(body, response, { signal });
  };
  try {
    return await scrapes.run({ key, make, whole: needsLength, signal }, send);
  } catch (cause) {
    if (deadline.aborted) {
      throw new TonnageError('unavailable', `a scrape could not be answered within ${deadlineMs} ms`, { cause });
    }
    if (gone.signal.aborted && isEndOfConnection(cause)) throw new Error('the scraper left', { cause });
    throw cause;
  }
}

/** What streams say when the other side is gone, as opposed to what the making of an exposition throws. */
function isEndOfConnection(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return (error instanceof Error && error.name === 'AbortError') || code === 'ERR_STREAM_PREMATURE_CLOSE';
}

function headerText(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.join(',');
}

function refuseFor(response: ServerResponse, error: unknown): void {
  if (error instanceof TonnageError) return refuse(response, error.code, error.message);
  refuse(response, 'internal_error', 'the metrics could not be read; the log says more');
}

function refuse(response: ServerResponse, code: ErrorCode, detail: string): void {
  const answer = problem(code, detail);
  const body = JSON.stringify(answer);
  response.writeHead(answer.status, { 'content-type': problemType, 'content-length': Buffer.byteLength(body) });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
