import { constants, open } from 'node:fs/promises';
import { Agent } from 'undici';
import { codeOf, type Log } from '../../base/index.ts';
import type { Collector, CreateSources, SourceParts } from '../contract.ts';
import { noteOmitted } from '../declared/note-omitted.ts';
import { SourceError } from '../source-error.ts';
import { parseDocument } from './http-json/document.ts';
import { DocumentReader } from './http-json/document-reading.ts';
import { fetchDocument, tooLarge } from './http-json/fetch-document.ts';
import type { HttpJsonOptions } from './http-json/options.ts';

/** The bytes of a document and, of a file, the time of its last write in Unix seconds. */
interface DocumentBytes {
  readonly bytes: Uint8Array;
  readonly writtenAt?: number;
}

/** Where documents come from. */
interface Origin {
  get(signal: AbortSignal): Promise<DocumentBytes>;
  close(): Promise<void>;
}

/** The source of one JSON document. */
export const createSources: CreateSources<HttpJsonOptions> = (settings, parts) => {
  const { name, driver, labels, interval, deadline, keepFor } = settings;
  return [
    {
      name,
      driver,
      labels,
      intervalMs: interval,
      deadlineMs: deadline,
      ...(keepFor !== undefined && { keepMs: keepFor }),
      collector: collector(settings, name, parts),
    },
  ];
};

function collector(settings: HttpJsonOptions, name: string, { clock, log }: SourceParts): Collector {
  const origin =
    settings.file === undefined ? urlOrigin(settings, name, log) : fileOrigin(settings.file, settings.bodyMax);
  const reader = new DocumentReader(settings, clock);
  const note = noteOmitted(log);
  return {
    async collect(signal) {
      const { bytes, writtenAt } = await origin.get(signal);
      const { families, timestamp, omitted } = await reader.read(parseDocument(bytes));
      note(omitted);
      const dataTimestamp = timestamp ?? writtenAt;
      return dataTimestamp === undefined ? families : { families, dataTimestamp };
    },
    close: () => origin.close(),
  };
}

function urlOrigin({ url = '', headers, auth, tls, bodyMax }: HttpJsonOptions, source: string, log: Log): Origin {
  if (tls?.insecureSkipVerify === true) {
    log.warn({ source }, 'the certificate of this source is not checked (insecureSkipVerify)');
  }
  const ca = tls?.ca?.reveal();
  const dispatcher = new Agent({
    // Reads are rare: a connection that stays open would mostly have ended when the next read begins.
    pipelining: 0,
    connect: { rejectUnauthorized: tls?.insecureSkipVerify !== true, ...(ca !== undefined && { ca }) },
  });
  return {
    async get(signal) {
      const all: Record<string, string> = {
        accept: 'application/json',
        'user-agent': 'tonnage',
        ...authorization(auth),
      };
      for (const [name, value] of Object.entries(headers)) all[name.toLowerCase()] = value.reveal();
      return { bytes: await fetchDocument({ url, headers: all, dispatcher, bodyMax, signal }) };
    },
    close: () => dispatcher.destroy(),
  };
}

function authorization(auth: HttpJsonOptions['auth']): Readonly<Record<string, string>> {
  if (auth?.bearer !== undefined) return { authorization: `Bearer ${auth.bearer.reveal()}` };
  if (auth?.basic === undefined) return {};
  const { username, password } = auth.basic;
  return { authorization: `Basic ${Buffer.from(`${username}:${password.reveal()}`).toString('base64')}` };
}

function fileOrigin(path: string, bodyMax: number): Origin {
  return {
    async get(signal) {
      try {
        return await bytesOfFile(path, bodyMax, signal);
      } catch (thrown) {
        signal.throwIfAborted();
        throw fileError(thrown);
      }
    },
    close: () => Promise.resolve(),
  };
}

async function bytesOfFile(path: string, bodyMax: number, signal: AbortSignal): Promise<DocumentBytes> {
  // Opening a pipe would wait for a writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new SourceError('invalid', 'expected a regular file, got something else');
    if (stat.size > bodyMax) throw tooLarge(bodyMax);
    const bytes = await file.readFile({ signal });
    if (bytes.length > bodyMax) throw tooLarge(bodyMax);
    return { bytes, writtenAt: stat.mtimeMs / 1_000 };
  } finally {
    await file.close();
  }
}

function fileError(thrown: unknown): SourceError {
  if (thrown instanceof SourceError) return thrown;
  const code = codeOf(thrown) ?? 'an error';
  const errorClass = code === 'EACCES' ? 'denied' : code === 'EISDIR' ? 'invalid' : 'unreachable';
  return new SourceError(errorClass, `expected a readable file, got ${code}`);
}
