import { isUtf8 } from 'node:buffer';
import { limits, messageOf } from '../base/index.ts';

/** One event of a file. */
export interface EventLine {
  /** Line number, from 1. */
  readonly number: number;
  /** JSON, on one line. */
  readonly text: string;
}

/** The reason why an event of a file was refused. */
export interface LineRefusal {
  readonly number: number;
  readonly reason: string;
}

/** Lines of one request, and refused lines that are not JSON. */
export interface EventBatch {
  readonly lines: readonly EventLine[];
  readonly refusals: readonly LineRefusal[];
  /** Bytes of the file up to the end of the batch. */
  readonly bytesRead: number;
}

const newline = 0x0a;

/** Splits JSON lines into batches for one request each. Skips blank lines. */
export async function* readBatches(input: AsyncIterable<Buffer | string>): AsyncGenerator<EventBatch> {
  let batch = new Batch();
  for await (const line of splitLines(input)) {
    if (!batch.hasRoomFor(line)) {
      yield batch.taken();
      batch = new Batch();
    }
    batch.add(line);
  }
  if (!batch.isEmpty) yield batch.taken();
}

/** A line of the file. `bytes` is `undefined` if it is too long. */
interface Line {
  readonly number: number;
  readonly bytes: Buffer | undefined;
  /** Bytes of the file up to the end of the line. */
  readonly end: number;
}

async function* splitLines(input: AsyncIterable<Buffer | string>): AsyncGenerator<Line> {
  let begun: Buffer[] = [];
  let length = 0;
  let number = 1;
  let end = 0;
  const line = (): Line => {
    const bytes = length <= limits.eventLineBytesMax ? Buffer.concat(begun, length) : undefined;
    begun = [];
    length = 0;
    return { number: number++, bytes, end };
  };
  const keep = (piece: Buffer): void => {
    length += piece.length;
    end += piece.length;
    // Read a line that is too long to its end without storing it.
    if (length <= limits.eventLineBytesMax) begun.push(piece);
  };
  for await (const chunk of input) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk);
    let start = 0;
    for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, start)) {
      keep(bytes.subarray(start, at));
      end++;
      yield line();
      start = at + 1;
    }
    keep(bytes.subarray(start));
  }
  if (length > 0) yield line();
}

class Batch {
  readonly #lines: EventLine[] = [];
  readonly #refusals: LineRefusal[] = [];
  #bytes = 0;
  #end = 0;

  get isEmpty(): boolean {
    return this.#end === 0;
  }

  hasRoomFor({ bytes }: Line): boolean {
    const count = this.#lines.length + this.#refusals.length;
    return count < limits.eventSendBatchMax && this.#bytes + (bytes?.length ?? 0) <= limits.eventSendBytesMax;
  }

  add({ number, bytes, end }: Line): void {
    this.#end = end;
    const read = readLine(bytes, number === 1);
    if ('reason' in read) this.#refusals.push({ number, reason: read.reason });
    else if (read.text !== '') this.#lines.push({ number, text: read.text });
    this.#bytes += bytes?.length ?? 0;
  }

  taken(): EventBatch {
    return { lines: this.#lines, refusals: this.#refusals, bytesRead: this.#end };
  }
}

/** Checks that a line is JSON, because an invalid line would invalidate its whole batch. */
function readLine(bytes: Buffer | undefined, isFirst: boolean): { text: string } | { reason: string } {
  if (bytes === undefined) return { reason: `expected at most ${limits.eventLineBytesMax} bytes in a line, got more` };
  if (!isUtf8(bytes)) return { reason: 'expected JSON in UTF-8, got other bytes' };
  const whole = bytes.toString();
  const text = (isFirst ? whole.replace(/^\u{FEFF}/u, '') : whole).trim();
  if (text === '') return { text };
  try {
    JSON.parse(text);
    return { text };
  } catch (thrown) {
    return { reason: `expected JSON: ${messageOf(thrown)}` };
  }
}
