import { fileErrorReason, messageOf, TonnageError } from '../base/index.ts';

type Members = Readonly<Record<string, unknown>>;

/**
 * Parses a response of a Tonnage server. `read` throws if the content is not what it expects. Throws `unavailable` if the
 * response is not from a Tonnage server.
 */
export function readResponse<T>(text: string, read: (content: unknown) => T, parse: (json: string) => unknown): T {
  try {
    return read(parse(text));
  } catch (cause) {
    const message = `the response is not from a Tonnage server: ${messageOf(cause)}`;
    throw new TonnageError('unavailable', message, { cause });
  }
}

/** The message of a problem document (RFC 9457), or else the status text. It is safe for a terminal. */
export function readProblem(text: string, statusText: string): string {
  try {
    const { detail, title } = membersOf(JSON.parse(text));
    return printable(textOf(detail ?? title));
  } catch {
    // Not from Tonnage: for example an HTML page of a proxy.
    return statusText === '' ? 'no reason given' : printable(statusText);
  }
}

/** The root cause of an error, which fetch hides in `cause`. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof Error && thrown.message === 'bad port') {
    return 'HTTP clients block this port, which is reserved for another protocol (Fetch Standard, "port blocking")';
  }
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return reasonOf(thrown.errors[0]);
  return thrown instanceof Error && thrown.cause instanceof Error ? reasonOf(thrown.cause) : fileErrorReason(thrown);
}

/** Makes a text from elsewhere safe for a terminal, which control characters could control. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\u{FFFD}');
}

export function membersOf(value: unknown): Members {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new TypeError('expected an object');
}

export function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TypeError('expected a list');
}

export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new TypeError('expected a text');
}
