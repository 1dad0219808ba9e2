import { open, type FileHandle } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileErrorReason, TonnageError } from '../base/index.ts';
import { UsageError, type Terminal } from './contract.ts';

/** The input of `event send`. */
interface EventInput {
  /** Its name in messages. */
  readonly name: string;
  readonly chunks: AsyncIterable<Buffer | string>;
  /** Its size, if known. */
  readonly bytes?: number;
}

type Place = Pick<Terminal, 'input' | 'workingDirectory'>;

/** The first bytes of compressed files, and the program that decompresses them. */
const compressions = [
  { name: 'gzip', begin: [0x1f, 0x8b], print: 'zcat' },
  { name: 'zstd', begin: [0x28, 0xb5, 0x2f, 0xfd], print: 'zstdcat' },
  { name: 'xz', begin: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], print: 'xzcat' },
  { name: 'bzip2', begin: [0x42, 0x5a, 0x68], print: 'bzcat' },
] as const;
const beginBytesMax = Math.max(...compressions.map(({ begin }) => begin.length));

/** Opens a file, or standard input for `-`. Rejects with `source_failed` if it cannot be read or is compressed. */
export async function openEventInput(file: string, place: Place): Promise<EventInput> {
  const { chunks, ...input } = await opened(file, place);
  const iterator = chunks[Symbol.asyncIterator]();
  const head: (Buffer | string)[] = [];
  let begin = Buffer.alloc(0);
  while (begin.length < beginBytesMax) {
    const next = await iterator.next();
    if (next.done === true) break;
    head.push(next.value);
    begin = Buffer.concat([begin, Buffer.from(next.value)]);
  }
  const compression = compressions.find((each) => each.begin.every((byte, index) => begin[index] === byte));
  if (compression === undefined) return { ...input, chunks: joined(head, iterator) };
  await iterator.return?.();
  const { name, print } = compression;
  const source = file === '-' ? '' : ` ${file}`;
  throw new TonnageError(
    'source_failed',
    `${input.name}: expected JSON lines, got a file compressed with ${name}: decompress it, as in ` +
      `${print}${source} | tonnage event send -`,
  );
}

async function* joined<T>(head: readonly T[], rest: AsyncIterator<T>): AsyncGenerator<T> {
  yield* head;
  yield* { [Symbol.asyncIterator]: () => rest };
}

async function opened(file: string, { input, workingDirectory }: Place): Promise<EventInput> {
  if (file === '-') return { name: 'standard input', chunks: input };
  if (file === '') throw new UsageError("event send: expected the name of a file, got ''");
  try {
    const handle = await open(resolve(workingDirectory, file));
    const stats = await handle.stat();
    if (stats.isDirectory()) {
      await handle.close();
      throw new TonnageError('source_failed', `${file}: cannot be read: this is a directory`);
    }
    return { name: file, chunks: chunksOf(file, handle), ...(stats.isFile() && { bytes: stats.size }) };
  } catch (thrown) {
    throw thrown instanceof TonnageError ? thrown : unreadable(file, thrown);
  }
}

/** Reads a file and closes it at the end. */
async function* chunksOf(file: string, handle: FileHandle): AsyncGenerator<Buffer> {
  const stream: AsyncIterable<Buffer> = handle.createReadStream();
  try {
    yield* stream;
  } catch (thrown) {
    throw unreadable(file, thrown);
  }
}

function unreadable(file: string, cause: unknown): TonnageError {
  return new TonnageError('source_failed', `${file}: cannot be read: ${fileErrorReason(cause)}`, { cause });
}
