import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

import type { Dispatcher } from 'undici';

/** A request to an upstream or a redirect target. Both methods only read, so a retry is safe. */
export interface UpstreamRequest {
  readonly method: 'GET' | 'HEAD';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Size of the content in bytes, if known. A response of exactly this length is not encoded, whatever its headers state. */
  readonly contentSize?: number;
  /** The repository, for the scope of bearer tokens. */
  readonly repository: string;
  /** Aborts the request and the body of its response. */
  readonly signal?: AbortSignal;
  /** Whether a redirect has left the upstream's origin. From then on, no host gets its credentials. */
  readonly isRedirected?: boolean;
}

/** The body of a response. `dump` is missing if the body is decoded. */
export type UpstreamBody = Readable & Partial<Pick<Dispatcher.ResponseData['body'], 'dump'>>;
/** Whether a request used configured credentials: there are `none`, they were `sent`, or `withheld` from a foreign host. */
export type CredentialUse = 'none' | 'sent' | 'withheld';

export interface UpstreamAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The origin that sent this response, after redirects. */
  readonly origin: string;
  /** Default: `none`. */
  readonly credentials?: CredentialUse;
  /** Must be read to the end or discarded; otherwise its connection cannot be reused. */
  readonly body: UpstreamBody;
}

/**
 * Sends one request. Resolves with any status once the headers have arrived; rejects with `UpstreamError` if there is
 * no response. Each feature of the client (redirects, retries, authentication...) is a layer around this function.
 */
export type Send = (request: UpstreamRequest) => Promise<UpstreamAnswer>;

/** The value of a header. Repeated lines are joined (RFC 9110, section 5.3). */
export function headerOf(answer: Pick<UpstreamAnswer, 'headers'>, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** The stated length of the body; null if it is missing or invalid. */
export function lengthOf(answer: Pick<UpstreamAnswer, 'headers'>): number | null {
  const text = headerOf(answer, 'content-length');
  const length = text !== undefined && /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(length) ? length : null;
}

/** Destroys a body that is not needed. */
export function abandon(body: UpstreamBody): void {
  // Without a listener, the error of the abort would be thrown.
  body.on('error', () => {});
  body.destroy();
}

/** Reads a short body to the end, so that its connection can be reused, and destroys a long one. */
export async function discard(answer: UpstreamAnswer): Promise<void> {
  const { body } = answer;
  try {
    if (body.dump === undefined) abandon(body);
    else await body.dump({ limit: 16 * 1024 });
  } catch {
    abandon(body);
  }
}

/** Reads a body of at most `bytesMax` bytes. Returns null, and destroys the rest, if it is longer. */
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
