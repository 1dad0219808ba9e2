/** Bytes from `start` to `end`, without the one at `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** A range as a client asks for it: from somewhere (to somewhere, inclusive), or the last `suffix` bytes. */
export type AskedRange =
  | { readonly kind: 'from'; readonly first: number; readonly last: number | null }
  | { readonly kind: 'suffix'; readonly length: number };

const singleRange = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i;

/**
 * Reads a `Range` header (RFC 9110, section 14.2). Null means that the header is to be ignored, and the whole sent:
 * there is none, it is malformed, in another unit, or asks for several ranges at once.
 */
export function parseRange(header: string | undefined): AskedRange | null {
  const match = singleRange.exec(header ?? '');
  if (match === null) return null;
  const [, first = '', last = ''] = match;
  if (first === '') return last === '' ? null : { kind: 'suffix', length: clamped(last) };
  if (last === '') return { kind: 'from', first: clamped(first), last: null };
  const range = { first: clamped(first), last: clamped(last) };
  return range.last < range.first ? null : { kind: 'from', ...range };
}

/** Numbers beyond what a file can have are all the same: too large. */
function clamped(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}

/** The bytes of a representation of `size` bytes that were asked for; null when it has none of them (416). */
export function satisfy(range: AskedRange, size: number): ByteRange | null {
  if (range.kind === 'suffix') {
    return range.length === 0 || size === 0 ? null : { start: Math.max(size - range.length, 0), end: size };
  }
  if (range.first >= size) return null;
  return { start: range.first, end: range.last === null ? size : Math.min(range.last + 1, size) };
}

/** The value of a `Range` header that asks for this. */
export function rangeHeader(range: AskedRange): string {
  if (range.kind === 'suffix') return `bytes=-${range.length}`;
  return `bytes=${range.first}-${range.last ?? ''}`;
}

/** Reads a `Content-Range` of a 206: where it begins and ends, and the whole size when that is said. */
export function parseContentRange(text: string | undefined): (ByteRange & { readonly size: number | null }) | null {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(?:(\d{1,15})|\*)$/i.exec(text ?? '');
  if (match === null) return null;
  const [start, last] = [Number(match[1]), Number(match[2])];
  const size = match[3] === undefined ? null : Number(match[3]);
  return last < start || (size !== null && last >= size) ? null : { start, end: last + 1, size };
}
