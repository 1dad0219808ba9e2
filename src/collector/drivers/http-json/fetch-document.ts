import { request, type Agent } from 'undici';
import { codeOf } from '../../../base/index.ts';
import { SourceError, type SourceErrorClass } from '../../source-error.ts';

interface FetchOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: Agent;
  /** Largest body in bytes. */
  readonly bodyMax: number;
  readonly signal: AbortSignal;
}

/**
 * The body of a document. Follows no redirect, so that credentials go only where the configuration says. Rejects with a
 * `SourceError`, whose message contains neither the URL nor a header.
 */
export async function fetchDocument({ url, headers, dispatcher, bodyMax, signal }: FetchOptions): Promise<Uint8Array> {
  try {
    const answer = await request(url, { dispatcher, headers, signal });
    const { statusCode, body } = answer;
    const problem = statusProblem(statusCode) ?? codingProblem(answer.headers['content-encoding']);
    const stated = Number(answer.headers['content-length'] ?? 0);
    if (problem !== undefined || stated > bodyMax) {
      body.on('error', () => undefined).destroy();
      throw problem ?? tooLarge(bodyMax);
    }
    return await bodyOf(body, bodyMax);
  } catch (thrown) {
    signal.throwIfAborted();
    throw networkError(thrown);
  }
}

async function bodyOf(body: AsyncIterable<Buffer>, bodyMax: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop closes the connection.
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > bodyMax) throw tooLarge(bodyMax);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function tooLarge(bodyMax: number): SourceError {
  return new SourceError('invalid', `expected a document of at most ${bodyMax} bytes, got more`);
}

function statusProblem(status: number): SourceError | undefined {
  if (status === 200) return undefined;
  const came = status >= 300 && status < 400 ? `${status}, a redirect, which is not followed` : String(status);
  return new SourceError(classOf(status), `expected the status 200, got ${came}`);
}

function classOf(status: number): SourceErrorClass {
  if (status === 401 || status === 403) return 'denied';
  return status === 429 || status >= 500 ? 'unreachable' : 'invalid';
}

function codingProblem(coding: string | string[] | undefined): SourceError | undefined {
  if (coding === undefined || coding === 'identity') return undefined;
  return new SourceError('invalid', 'expected a body without content coding, got a compressed one');
}

/** Codes of Node.js, undici and OpenSSL, in words. */
const networkErrors: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the server refused the connection',
  ECONNRESET: 'the server closed the connection',
  EHOSTUNREACH: 'no route leads to the host',
  ENETUNREACH: 'no route leads to the host',
  ENOTFOUND: 'the host has no address',
  EAI_AGAIN: 'the host has no address',
  ETIMEDOUT: 'the host does not answer',
  UND_ERR_CONNECT_TIMEOUT: 'the host does not answer',
  UND_ERR_HEADERS_TIMEOUT: 'the server sent no answer',
  UND_ERR_BODY_TIMEOUT: 'the server did not finish its answer',
  UND_ERR_SOCKET: 'the server closed the connection',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the server sent another length than it stated',
  CERT_HAS_EXPIRED: 'the certificate of the server has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate of the server is signed by itself',
  SELF_SIGNED_CERT_IN_CHAIN: 'no trusted authority has signed the certificate of the server',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'no trusted authority has signed the certificate of the server',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'no trusted authority has signed the certificate of the server',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate of the server is for another name',
};

function networkError(thrown: unknown): SourceError {
  if (thrown instanceof SourceError) return thrown;
  const code = codeOf(thrown) ?? 'an error';
  return new SourceError('unreachable', networkErrors[code] ?? `the document cannot be fetched (${code})`);
}
