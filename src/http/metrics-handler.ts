import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock, Log } from '../base/index.ts';
import { encode, negotiate, paced } from '../exposition/index.ts';
import type { MetricFamily } from '../metric/index.ts';
import type { Handler } from './listener.ts';
import { problem, problemType } from './problem.ts';

export interface MetricsHandlerOptions {
  /** All families, gathered anew. */
  readonly gather: () => readonly MetricFamily[];
  readonly clock: Clock;
  readonly log: Log;
}

/** The metrics listener: `GET /metrics` in the format that the scraper asks for, and nothing else. */
export function createMetricsHandler(options: MetricsHandlerOptions): Handler {
  return (request, response) => {
    const path = request.url?.split('?', 1)[0];
    if (path !== '/metrics') return refuse(response, 404);
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405);
    const format = negotiate(request.headers.accept);
    response.writeHead(200, { 'content-type': format.contentType, vary: 'Accept', 'cache-control': 'no-store' });
    if (request.method === 'HEAD') return void response.end();
    const chunks = paced(encode(options.gather(), format), options.clock);
    // A scraper that leaves ends the pipeline early; whatever else does breaks the answer off, so that nobody takes
    // half an exposition for a whole one.
    pipeline(Readable.from(chunks), response).catch((error: unknown) => {
      if (!response.destroyed || response.errored) options.log.warn({ err: error }, 'a scrape was broken off');
      response.destroy();
    });
  };
}

function refuse(response: ServerResponse, status: 404 | 405): void {
  const missing = status === 404;
  const detail = missing ? 'this listener has /metrics only' : 'expected GET or HEAD';
  const body = JSON.stringify(problem(missing ? 'not_found' : 'method_not_allowed', detail));
  response.writeHead(status, {
    'content-type': problemType,
    'content-length': Buffer.byteLength(body),
    ...(missing ? {} : { allow: 'GET, HEAD' }),
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
