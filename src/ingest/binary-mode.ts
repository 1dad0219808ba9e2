import type { JsonObject } from '../oci/index.ts';
import { Refusal, shown } from './refusal.ts';

/** Headers by lower-case name, each with the values of all its lines. */
export type HeaderLines = Readonly<Record<string, readonly string[] | undefined>>;

const prefix = 'ce-';
/** In this mode the body and Content-Type hold these. */
const notInHeaders: ReadonlySet<string> = new Set(['data', 'data_base64', 'datacontenttype']);

/** Whether a request is in binary mode: it has attributes as headers. */
export function isBinaryMode(headers: HeaderLines): boolean {
  return ['ce-specversion', 'ce-id', 'ce-source', 'ce-type'].some((name) => headers[name] !== undefined);
}

/**
 * Converts a request in binary mode (HTTP protocol binding 1.0.2, section 3.1) to the JSON event format: attributes
 * come from the headers, `data` from the body. `data` is `undefined` if there is no body.
 */
export function eventOfHeaders(headers: HeaderLines, data: unknown): JsonObject | Refusal {
  // No prototype, so that every header name is a plain member.
  const event: Record<string, unknown> = { __proto__: null };
  for (const [header, lines] of Object.entries(headers)) {
    if (!header.startsWith(prefix) || lines === undefined) continue;
    const name = header.slice(prefix.length);
    if (notInHeaders.has(name)) {
      return refused(header, 'the data in the body and its type in Content-Type, got this header');
    }
    const [value, ...more] = lines;
    if (value === undefined || more.length > 0) return refused(header, `one header, got ${lines.length}`);
    const decoded = decodeValue(value);
    if (decoded === undefined) {
      return refused(header, `printable ASCII with everything else percent-encoded as UTF-8, got ${shown(value)}`);
    }
    event[name] = decoded;
  }
  if (data !== undefined) event['data'] = data;
  return event;
}

function refused(header: string, expected: string): Refusal {
  return new Refusal('invalid_event', `${shown(header)}: expected ${expected}`);
}

/** Removes quotes (RFC 9110 section 5.6.4), then decodes percent-encoding once (section 3.1.3.2 of the binding). */
function decodeValue(value: string): string | undefined {
  const isQuoted = value.length >= 2 && value.startsWith('"') && value.endsWith('"');
  const bare = isQuoted ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
  if (!/^[\t -~]*$/.test(bare)) return undefined;
  try {
    return decodeURIComponent(bare);
  } catch {
    return undefined;
  }
}
