import { isUtf8 } from 'node:buffer';
import { ParseError } from './parse-error.ts';

const lineFeed = 0x0a;

/** Decodes UTF-8 (OpenMetrics 1.0, "Overall Structure"); keeps a byte order mark. Throws `ParseError` otherwise. */
export function decodeUtf8(bytes: Uint8Array): string {
  if (isUtf8(bytes)) {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  }
  let start = 0;
  for (let line = 1; ; line++) {
    const end = bytes.indexOf(lineFeed, start);
    if (end < 0 || !isUtf8(bytes.subarray(start, end))) throw new ParseError(line, 1, 'bytes that are not UTF-8');
    start = end + 1;
  }
}
