/** 32-bit words of a key. */
export const keyWords = 4;

/** Maximum of keys in one run: a lookup of one reads the whole run. */
export const runKeysMax = 2_048;

/** Marks in place of a cell: the key of a void, or of an event that was voided before it arrived. */
export const voidEntry = 0xffff;
export const tombstoneEntry = 0xfffe;

/** What an event counted, so that a void can take back exactly that. */
export interface RunCell {
  readonly day: number;
  readonly series: number;
  /** The credentials of its events are not bound to its organisation. */
  readonly isStated?: boolean;
}

/** Keys of one batch, with what each counted: `cells[cellOf[i]]` received `quantities[i]` (absent: 1 each). */
export interface Run {
  readonly keys: Uint32Array;
  readonly cellOf: Uint16Array;
  readonly quantities?: Float64Array;
  readonly cells: readonly RunCell[];
}

/**
 * Encodes a run as bytes: four numbers (keys, cells, bits for the optional parts, 0), then the quantities, the series
 * and the days of the cells, the keys, the cell of each key, and whether each cell is stated. Little-endian. Parts with
 * larger elements come first, so that each is aligned for its typed array.
 */
export function encodeRun({ keys, cellOf, quantities, cells }: Run): Uint8Array {
  const count = cellOf.length;
  const parts =
    (quantities === undefined ? 0 : quantitiesPart) | (cells.some(({ isStated }) => isStated) ? statedPart : 0);
  const bytes = new Uint8Array(runBytes(count, cells.length, parts));
  const { buffer } = bytes;
  new Uint32Array(buffer, 0, keyWords).set([count, cells.length, parts, 0]);
  let at = headerBytes;
  if (quantities !== undefined) {
    new Float64Array(buffer, at, count).set(quantities);
    at += 8 * count;
  }
  new Float64Array(buffer, at, cells.length).set(cells.map(({ series }) => series));
  at += 8 * cells.length;
  new Int32Array(buffer, at, cells.length).set(cells.map(({ day }) => day));
  at += 4 * cells.length;
  new Uint32Array(buffer, at, count * keyWords).set(keys);
  at += 4 * count * keyWords;
  new Uint16Array(buffer, at, count).set(cellOf);
  if ((parts & statedPart) !== 0)
    bytes.set(
      cells.map(({ isStated }) => Number(isStated ?? false)),
      at + 2 * count,
    );
  return bytes;
}

/** Reads what `encodeRun` wrote. Throws a RangeError for bytes that it did not write. */
export function decodeRun(stored: Uint8Array): Run {
  // A copy, because a query's result may start at any offset of a larger buffer.
  const { buffer } = Uint8Array.from(stored);
  const [count = 0, cellCount = 0, parts = 0] = new Uint32Array(buffer, 0, keyWords);
  if (stored.length !== runBytes(count, cellCount, parts)) throw new RangeError('a run of another length');
  let at = headerBytes;
  const quantities = (parts & quantitiesPart) === 0 ? undefined : new Float64Array(buffer, at, count);
  at += quantities?.byteLength ?? 0;
  const series = new Float64Array(buffer, at, cellCount);
  at += series.byteLength;
  const days = new Int32Array(buffer, at, cellCount);
  at += days.byteLength;
  const keys = new Uint32Array(buffer, at, count * keyWords);
  at += keys.byteLength;
  const stated = (parts & statedPart) === 0 ? undefined : new Uint8Array(buffer, at + 2 * count, cellCount);
  return {
    keys,
    cellOf: new Uint16Array(buffer, at, count),
    ...(quantities && { quantities }),
    cells: Array.from(series, (id, index) => {
      return { series: id, day: days[index] ?? 0, ...(stated?.[index] === 1 && { isStated: true }) };
    }),
  };
}

const headerBytes = 16;

/** The bits of the optional parts. */
const quantitiesPart = 1;
const statedPart = 2;

function runBytes(count: number, cells: number, parts: number): number {
  const bytesPerKey = 4 * keyWords + 2 + ((parts & quantitiesPart) === 0 ? 0 : 8);
  return headerBytes + count * bytesPerKey + cells * ((parts & statedPart) === 0 ? 12 : 13);
}

/** The position of a key in a run, or -1. */
export function positionIn(keys: Uint32Array, count: number, words: Uint32Array, offset: number): number {
  const first = words[offset];
  for (let position = 0, at = 0; position < count; position++, at += keyWords) {
    if (keys[at] !== first) continue;
    if (
      keys[at + 1] === words[offset + 1] &&
      keys[at + 2] === words[offset + 2] &&
      keys[at + 3] === words[offset + 3]
    ) {
      return position;
    }
  }
  return -1;
}
