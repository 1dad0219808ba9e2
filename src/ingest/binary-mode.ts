import type { JsonObject } from '../oci/index.ts';
import { Refusal, shown } from './refusal.ts';

/** Headers by lower-cased name, each with the values of all its lines. */
export type HeaderLines = Readonly<Record<string, readonly string[] | undefined>>;

const prefix = 'ce-';
/** What stands elsewhere in this mode: in the body, and in Content-Type. */
const notInHeaders: ReadonlySet<string> = new Set(['data', 'data_base64', 'datacontenttype']);

/** Whether a request is an event in binary mode: it carries attributes as headers. */
export function isBinaryMode(headers: HeaderLines): boolean {
  return ['ce-specversion', 'ce-id', 'ce-source', 'ce-type'].some((name) => headers[name] !== undefined);
}

/**
 * The event of a request in binary mode (HTTP protocol binding 1.0.2, section 3.1), as the JSON event format has it:
 * attributes out of the headers, `data` out of the body, which is `undefined` where there is none.
 */
export function eventOfHeaders(headers: HeaderLines, data: unknown): JsonObject | Refusal {
  // Without a prototype, so that no header can mean something else than a member.
  const event: Record<string, unknown> = { __proto__: null };
  for (const [header, lines] of Object.entries(headers)) {
    if (!header.startsWith(prefix) || lines === undefined) continue;
    const name = header.slice(prefix.length);
    if (notInHeaders.has(name)) {
      return refused(header, `the body as data and Content-Type as its type, got this header`);
    }
    const [value, ...more] = lines;
    if (value === undefined || more.length > 0) return refused(header, `one such header, got ${lines.length}`);
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

/** Undoes quotes (RFC 9110 section 5.6.4), then one round of percent-encoding (section 3.1.3.2 of the binding). */
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
