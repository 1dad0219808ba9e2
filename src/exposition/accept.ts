/** One entry of an Accept header. */
export interface Accepted {
  /** In lower case, such as `text/plain` or `text/*`. */
  readonly mediaRange: string;
  /** Parameters in lower case, including the quality `q`. */
  readonly parameters: ReadonlyMap<string, string>;
  /** 0 (not acceptable) to 1. */
  readonly quality: number;
}

/**
 * The entries of an Accept header in order of preference: by quality, then specific ranges before wildcards, then in
 * header order (RFC 9110, 12.5.1). Lenient: ignores case and spaces, and treats an invalid quality as absent.
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
