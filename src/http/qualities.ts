/**
 * Parses the quality values of an `Accept` or `Accept-Encoding` header (RFC 9110, section 12.4.2): lower-case name to
 * quality, in header order. A missing quality is 1, an invalid one is 0, and the first of two equal names wins. Our
 * own: `negotiator` brings no types, and answers a sorted list without the qualities.
 */
export function parseQualities(header: string): ReadonlyMap<string, number> {
  const qualities = new Map<string, number>();
  for (const entry of header.toLowerCase().split(',')) {
    const [name = '', ...parameters] = entry.split(';').map((part) => part.trim());
    const quality = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1');
    if (name !== '' && !qualities.has(name)) qualities.set(name, quality >= 0 && quality <= 1 ? quality : 0);
  }
  return qualities;
}
