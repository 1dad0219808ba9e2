/** Bytes from `start` to `end`, exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** A range in a request: from `first` to `last` (inclusive, null for the end), or the last `length` bytes. */
export type RequestedRange =
  | { readonly kind: 'from'; readonly first: number; readonly last: number | null }
  | { readonly kind: 'suffix'; readonly length: number };

const singleRange = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i;

/**
 * Parses a `Range` header (RFC 9110, section 14.2). Null means that the whole content is sent: the header is missing,
 * malformed, in another unit, or has several ranges.
 */
export function parseRange(header: string | undefined): RequestedRange | null {
  const match = singleRange.exec(header ?? '');
  if (match === null) return null;
  const [, first = '', last = ''] = match;
  if (first === '') return last === '' ? null : { kind: 'suffix', length: clamped(last) };
  if (last === '') return { kind: 'from', first: clamped(first), last: null };
  const range = { first: clamped(first), last: clamped(last) };
  return range.last < range.first ? null : { kind: 'from', ...range };
}

/** Larger numbers are beyond any file. */
function clamped(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}

/** Resolves a range against content of `size` bytes; null if it is unsatisfiable (416). */
export function satisfy(range: RequestedRange, size: number): ByteRange | null {
  if (range.kind === 'suffix') {
    return range.length === 0 || size === 0 ? null : { start: Math.max(size - range.length, 0), end: size };
  }
  if (range.first >= size) return null;
  return { start: range.first, end: range.last === null ? size : Math.min(range.last + 1, size) };
}

/** Formats a `Range` header. */
export function rangeHeader(range: RequestedRange): string {
  if (range.kind === 'suffix') return `bytes=-${range.length}`;
  return `bytes=${range.first}-${range.last ?? ''}`;
}

/** Parses the `Content-Range` of a 206; null if it is invalid. `size` is null if it is not stated. */
export function parseContentRange(text: string | undefined): (ByteRange & { readonly size: number | null }) | null {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(?:(\d{1,15})|\*)$/i.exec(text ?? '');
  if (match === null) return null;
  const [start, last] = [Number(match[1]), Number(match[2])];
  const size = match[3] === undefined ? null : Number(match[3]);
  return last < start || (size !== null && last >= size) ? null : { start, end: last + 1, size };
}
