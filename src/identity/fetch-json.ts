import { Readable } from 'node:stream';
import { codeOf, limits } from '../base/index.ts';

/** The response of another system. */
export interface JsonAnswer {
  readonly status: number;
  /** Absent if the body is not JSON. */
  readonly body?: unknown;
}

/**
 * GETs a JSON document of at most `limits.identityAnswerBytesMax` bytes within `timeoutMs`. Does not follow redirects,
 * because `headers` may contain a secret for this address. Rejects with an `Error` whose message states the reason but
 * neither the address nor the headers.
 */
export async function fetchJson(
  url: string,
  { headers, timeoutMs }: { readonly headers?: Readonly<Record<string, string>>; readonly timeoutMs: number },
): Promise<JsonAnswer> {
  try {
    const response = await fetch(url, {
      headers: { Accept: 'application/json', ...headers },
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await readText(response);
    return { status: response.status, ...parsed(text) };
  } catch (error) {
    throw new Error(reasonOf(error, timeoutMs), { cause: error });
  }
}

class TooLarge extends Error {}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const body: AsyncIterable<Uint8Array> = response.body ?? Readable.from([]);
  for await (const chunk of body) {
    bytes += chunk.length;
    // Leaving the loop cancels the rest of the body.
    if (bytes > limits.identityAnswerBytesMax) throw new TooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): { readonly body?: unknown } {
  try {
    return { body: JSON.parse(text) };
  } catch {
    return {};
  }
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof TooLarge) return `its response is larger than ${limits.identityAnswerBytesMax} bytes`;
  if (isTimeoutError(error)) return `no complete response within ${timeoutMs} ms`;
  const code = codeOf(error instanceof Error ? error.cause : undefined);
  return `the connection failed${code === undefined ? '' : ` (${code})`}`;
}

/** Whether an error of `fetchJson` is a timeout. */
export function isTimeout(error: unknown): boolean {
  return error instanceof Error && isTimeoutError(error.cause);
}

function isTimeoutError(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError';
}

/** A member of a JSON object; `undefined` if there is no object or no such member. */
export function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}

/** A member that is a non-empty string; otherwise `undefined`. */
export function textOf(value: unknown, name: string): string | undefined {
  const member = memberOf(value, name);
  return typeof member === 'string' && member !== '' ? member : undefined;
}
