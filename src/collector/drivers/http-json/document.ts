import { SourceError } from '../../source-error.ts';

declare global {
  interface JSON {
    /** ECMAScript's JSON.parse source text access. The compiler's library does not declare it yet. */
    parse(
      text: string,
      reviver: (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown,
    ): unknown;
  }
}

/**
 * Parses a JSON document. Integers beyond 2^53 are `bigint`. Throws a `SourceError` (`invalid`) for other bytes than
 * JSON in UTF-8.
 */
export function parseDocument(bytes: Uint8Array): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    // Looking at each number takes several times as long as parsing.
    if (!/\d{16}/.test(text)) return JSON.parse(text);
    return JSON.parse(text, (_key, value, { source = '' }) => {
      return typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source)
        ? BigInt(source)
        : value;
    });
  } catch {
    // The words of the parser contain a part of the document, which differs from read to read.
    throw new SourceError(
      'invalid',
      `expected a JSON document in UTF-8, got ${bytes.length === 0 ? 'nothing' : 'something else'}`,
    );
  }
}
