import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

import type { Dispatcher } from 'undici';

/** One request to an upstream, or to where it redirects. Only reading methods: both may be sent twice. */
export interface UpstreamRequest {
  readonly method: 'GET' | 'HEAD';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of the content, where they are known: an answer of just this length is not encoded, whatever it says. */
  readonly contentSize?: number;
  /** The repository that is read, for which a bearer token is asked. */
  readonly repository: string;
  /** Ends the request, and the body of its answer. */
  readonly signal?: AbortSignal;
  /** A redirect has left the upstream's origin: from here on, nothing gets its credentials. */
  readonly isRedirected?: boolean;
}

/** The body of an answer. One that comes straight from the connection can be read to its end cheaply. */
export type UpstreamBody = Readable & Partial<Pick<Dispatcher.ResponseData['body'], 'dump'>>;
/** What a request did with configured credentials: there are none, they were sent, or kept from where they do not belong. */
export type CredentialUse = 'none' | 'sent' | 'withheld';

export interface UpstreamAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Origin that answered in the end: another one than was asked when there was a redirect. */
  readonly origin: string;
  /** Absent: none were configured for this answer. */
  readonly credentials?: CredentialUse;
  /** Must be read to its end or discarded, or else its connection is lost to others. */
  readonly body: UpstreamBody;
}

/**
 * Sends one request and answers once the headers are there, whatever the status. Rejects with `UpstreamError` when there
 * is no answer. What the client needs beyond the bare connection is wrapped around this one function, a layer each.
 */
export type Send = (request: UpstreamRequest) => Promise<UpstreamAnswer>;

/** A header's value; the lines of a repeated one are joined, as RFC 9110, section 5.3 allows. */
export function headerOf(answer: Pick<UpstreamAnswer, 'headers'>, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** The body's length as the answer says it; null when it does not. */
export function lengthOf(answer: Pick<UpstreamAnswer, 'headers'>): number | null {
  const text = headerOf(answer, 'content-length');
  const length = text !== undefined && /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(length) ? length : null;
}

/** Gives a body up that nobody reads. What breaking it off says is no news, but must be heard by somebody. */
export function abandon(body: UpstreamBody): void {
  body.on('error', () => {});
  body.destroy();
}

/** Reads a short body to its end, so that its connection can be used again, and gives up on a long one. */
export async function discard(answer: UpstreamAnswer): Promise<void> {
  const { body } = answer;
  try {
    if (body.dump === undefined) abandon(body);
    else await body.dump({ limit: 16 * 1024 });
  } catch {
    abandon(body);
  }
}

/** Reads a body of at most `bytesMax` bytes; null, with the rest given up, when it is longer. Rejects as the body does. */
export async function readBody(answer: UpstreamAnswer, bytesMax: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > bytesMax) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}
