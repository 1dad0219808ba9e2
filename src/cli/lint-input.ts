import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { addAbortSignal, Readable } from 'node:stream';
import { TonnageError } from '../base/index.ts';
import { UsageError, type Terminal } from './contract.ts';
import { readFailureOf } from './read-failure.ts';

/** A whole input. */
export interface LintInput {
  readonly bytes: Uint8Array;
  /** What the server called it, where it came from one. */
  readonly contentType?: string;
}

export interface ReadInputOptions extends Pick<Terminal, 'input' | 'workingDirectory'> {
  /** Value of the `Accept` header, where a server is asked. */
  readonly accept: string;
  readonly bytesMax: number;
  /** How long reading may take, in milliseconds. */
  readonly msMax: number;
}

const redirectsMax = 5;

/** The inputs that a command line may name together. Throws `UsageError` for what cannot be read, whatever it holds. */
export function checkInputNames(names: readonly string[]): void {
  if (names.includes('')) throw new UsageError("expected names of files, got ''");
  if (names.filter((name) => name === '-').length > 1) {
    throw new UsageError('-: expected it once, since standard input can be read once only');
  }
  for (const name of names.filter(isUrl)) {
    const url = URL.parse(name);
    if (url === null) throw new UsageError('expected a URL such as http://HOST:PORT/metrics, got another one');
    if (url.username !== '' || url.password !== '') {
      throw new UsageError('expected a URL without credentials in it, since other users can see them');
    }
  }
}

/**
 * Reads standard input (`-`), what a server answers (a URL), or a file. Throws `source_failed` that says why, without the
 * input's name, when it cannot be read, is too large or takes too long.
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
  // Loaded here, so that other inputs and commands start without it. fetch would refuse some ports.
  const { Agent, interceptors, request } = await import('undici');
  const agent = new Agent();
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: redirectsMax }));
  try {
    const { statusCode, headers, body } = await request(url, { headers: { accept }, signal, dispatcher });
    if (statusCode !== 200) throw failed(`the server answered ${statusCode}`);
    const bytes = await readAll(body, bytesMax);
    const contentType = headers['content-type'];
    return { bytes, ...(typeof contentType === 'string' && { contentType }) };
  } finally {
    await agent.destroy();
  }
}

/** All of a stream, which is closed when it turns out to be too large. */
async function readAll(stream: AsyncIterable<unknown>, bytesMax: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const bytes = chunk instanceof Uint8Array ? chunk : Buffer.from(String(chunk));
    length += bytes.length;
    if (length > bytesMax) throw failed(`is larger than the ${bytesMax} bytes that are allowed`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function failed(message: string, cause?: unknown): TonnageError {
  return new TonnageError('source_failed', message, { cause });
}

/** fetch says only that it failed; why is in the causes. */
function reasonOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return reasonOf(thrown.errors[0]);
  if (thrown instanceof Error && thrown.cause instanceof Error) return reasonOf(thrown.cause);
  return readFailureOf(thrown);
}
