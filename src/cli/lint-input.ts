import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { addAbortSignal, Readable } from 'node:stream';
import { TonnageError } from '../base/index.ts';
import { UsageError, type Terminal } from './contract.ts';
import { reasonOf } from './server-response.ts';

/** A complete input. */
export interface LintInput {
  readonly bytes: Uint8Array;
  /** The Content-Type of the server, for a URL. */
  readonly contentType?: string;
}

interface ReadInputOptions extends Pick<Terminal, 'input' | 'workingDirectory'> {
  /** The `Accept` header, for a URL. */
  readonly accept: string;
  readonly bytesMax: number;
  /** The deadline in milliseconds. */
  readonly msMax: number;
}

const redirectsMax = 5;

/** Checks the names of inputs. Throws `UsageError` for an invalid name. */
export function checkInputNames(names: readonly string[]): void {
  if (names.includes('')) throw new UsageError("expected names of files, got ''");
  if (names.filter((name) => name === '-').length > 1) {
    throw new UsageError('-: expected it once, because standard input can be read only once');
  }
  for (const name of names.filter(isUrl)) {
    const url = URL.parse(name);
    if (url === null) throw new UsageError('expected a URL such as http://HOST:PORT/metrics, got an invalid one');
    if (url.username !== '' || url.password !== '') {
      throw new UsageError('expected a URL without credentials, because other users can see them');
    }
  }
}

/**
 * Reads standard input (`-`), a URL or a file. Rejects with `source_failed` if it cannot be read, is too large or takes too long. The
 * message does not contain the input's name.
 */
export async function readInput(name: string, options: ReadInputOptions): Promise<LintInput> {
  const { bytesMax, msMax } = options;
  const deadline = AbortSignal.timeout(msMax);
  try {
    if (isUrl(name)) return await scrape(name, options, deadline);
    return { bytes: await readAll(openStream(name, options, deadline), bytesMax) };
  } catch (thrown) {
    if (thrown instanceof TonnageError) throw thrown;
    throw failed(deadline.aborted ? `has not ended within ${msMax} ms` : `cannot be read: ${reasonOf(thrown)}`, thrown);
  }
}

function isUrl(name: string): boolean {
  return /^https?:\/\//i.test(name);
}

function openStream(
  name: string,
  { input, workingDirectory }: ReadInputOptions,
  deadline: AbortSignal,
): AsyncIterable<unknown> {
  if (name !== '-') return createReadStream(resolve(workingDirectory, name), { signal: deadline });
  return input instanceof Readable ? addAbortSignal(deadline, input) : input;
}

async function scrape(url: string, { accept, bytesMax }: ReadInputOptions, signal: AbortSignal): Promise<LintInput> {
  // Loaded lazily, so that other commands start faster. fetch would reject some ports.
  const { Agent, interceptors, request } = await import('undici');
  const agent = new Agent();
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: redirectsMax }));
  try {
    const { statusCode, headers, body } = await request(url, { headers: { accept }, signal, dispatcher });
    if (statusCode !== 200) throw failed(`the server responded with ${statusCode}`);
    const bytes = await readAll(body, bytesMax);
    const contentType = headers['content-type'];
    return { bytes, ...(typeof contentType === 'string' && { contentType }) };
  } finally {
    await agent.destroy();
  }
}

/** Reads a whole stream; closes it if it is too large. */
async function readAll(stream: AsyncIterable<unknown>, bytesMax: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const bytes = chunk instanceof Uint8Array ? chunk : Buffer.from(String(chunk));
    length += bytes.length;
    if (length > bytesMax) throw failed(`is larger than ${bytesMax} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function failed(message: string, cause?: unknown): TonnageError {
  return new TonnageError('source_failed', message, { cause });
}
