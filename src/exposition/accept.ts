/** One entry of an Accept header. */
export interface Accepted {
  /** Such as `text/plain` or `text/*`, in lower case. */
  readonly mediaRange: string;
  /** Parameters in lower case, the quality among them. */
  readonly parameters: ReadonlyMap<string, string>;
  /** 0 (refused) to 1. */
  readonly quality: number;
}

/**
 * The entries of an Accept header, the most wanted first: by quality, then the more specific before wildcards, then as
 * they stand (RFC 9110, 12.5.1). Lenient: case and spaces do not matter, a quality that is no number counts as none.
 */
export function parseAccept(header: string): readonly Accepted[] {
  const entries = header.split(',').map(parseEntry);
  return entries.sort((a, b) => b.quality - a.quality || wildcards(a) - wildcards(b));
}

function parseEntry(entry: string): Accepted {
  const [mediaRange = '', ...rest] = entry.split(';').map((part) => part.trim().toLowerCase());
  const parameters = new Map(rest.map(parseParameter));
  const quality = Number.parseFloat(parameters.get('q') ?? '1');
  return { mediaRange, parameters, quality: Number.isNaN(quality) ? 1 : Math.min(Math.max(quality, 0), 1) };
}

function parseParameter(text: string): [name: string, value: string] {
  const equals = text.indexOf('=');
  if (equals < 0) return [text, ''];
  const value = text.slice(equals + 1).trim();
  return [text.slice(0, equals).trim(), value.replace(/^"(.*)"$/, '$1')];
}

function wildcards(entry: Accepted): number {
  return entry.mediaRange.split('*').length - 1;
}
