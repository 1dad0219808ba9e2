import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { limits, messageOf, TonnageError, type Clock, type ErrorCode, type Log } from '../base/index.ts';
import { encode, negotiate, paced } from '../exposition/index.ts';
import type { MetricFamily, MetricSet } from '../metric/index.ts';
import type { Handler } from './listener.ts';
import { scrapeInstruments } from './metrics.ts';
import { problem, problemType } from './problem.ts';
import { chooseCoding, compressor } from './scrape/coding.ts';
import { scrapeDeadlineMs } from './scrape/deadline.ts';
import { filterFamilies } from './scrape/filter.ts';
import { Scrapes } from './scrape/scrapes.ts';

export interface MetricsHandlerOptions {
  /** All families, gathered anew. */
  readonly gather: () => readonly MetricFamily[];
  readonly metrics: MetricSet;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The metrics listener: `GET /metrics` in the format and coding that the scraper asks for, `?name[]=` for some families
 * only, and nothing else. An exposition is sent while it is made, at the scraper's speed.
 */
export function createMetricsHandler(options: MetricsHandlerOptions): Handler {
  const scrapes = new Scrapes(limits.scrapesMax);
  const instruments = scrapeInstruments(options.metrics);
  const { clock, log } = options;
  return (request, response) => {
    const path = request.url?.split('?', 1)[0];
    if (path !== '/metrics') return refuse(response, 'not_found', 'this listener has /metrics only');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return refuse(response, 'method_not_allowed', 'expected GET or HEAD');
    }
    const started = clock.monotonic();
    scrape(options, scrapes, request, response)
      .then((shared) => {
        instruments.durationSeconds.observe((clock.monotonic() - started) / 1000);
        if (shared) instruments.shared.inc();
      })
      .catch((error: unknown) => {
        instruments.brokenOff.inc();
        if (error instanceof TonnageError && !response.headersSent) return refuse(response, error.code, error.message);
        log.warn({ error: messageOf(error) }, 'a scrape was broken off');
        // Nobody may take half an exposition for a whole one.
        response.destroy();
      });
  };
}

/** Answers one scrape; resolves with whether it was shared, rejects when it could not be answered whole. */
async function scrape(
  { gather, clock }: MetricsHandlerOptions,
  scrapes: Scrapes,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const format = negotiate(request.headers.accept);
  const names = new URLSearchParams(request.url?.split('?')[1]).getAll('name[]');
  const coding = chooseCoding(headerText(request.headers['accept-encoding']));
  const headers = {
    'content-type': format.contentType,
    vary: 'Accept, Accept-Encoding',
    'cache-control': 'no-store',
    ...(coding !== 'identity' && { 'content-encoding': coding }),
  };
  if (request.method === 'HEAD') {
    response.writeHead(200, headers).end();
    return false;
  }
  const deadline = AbortSignal.timeout(scrapeDeadlineMs(request.headers['x-prometheus-scrape-timeout-seconds']));
  const make = () => paced(encode(filterFamilies(gather(), names), format), clock);
  const opening = scrapes.open(JSON.stringify([format.contentType, names]), make);
  const { chunks, shared } = await beforeDeadline(opening, deadline);
  response.writeHead(200, headers);
  const compress = compressor(coding);
  const body = Readable.from(chunks, { objectMode: false });
  if (compress) await pipeline(body, compress, response, { signal: deadline });
  else await pipeline(body, response, { signal: deadline });
  return shared;
}

/** What `work` resolves with, or `unavailable` once the time is over. */
async function beforeDeadline<T>(work: Promise<T>, deadline: AbortSignal): Promise<T> {
  const late = new Promise<never>((_, reject) => {
    deadline.addEventListener('abort', () =>
      reject(
        new TonnageError(
          'unavailable',
          'too many scrapes at once: there was no room before this one had to be answered',
        ),
      ),
    );
  });
  return Promise.race([work, late]);
}

function headerText(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.join(',');
}

function refuse(response: ServerResponse, code: ErrorCode, detail: string): void {
  const answer = problem(code, detail);
  const body = JSON.stringify(answer);
  response.writeHead(answer.status, { 'content-type': problemType, 'content-length': Buffer.byteLength(body) });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
