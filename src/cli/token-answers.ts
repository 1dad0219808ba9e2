import { messageOf, TonnageError } from '../base/index.ts';
import { rights, type TokenInfo } from '../identity/index.ts';

type Members = Readonly<Record<string, unknown>>;

/** The message of a problem document (RFC 9457). */
export function readProblem(text: string): string {
  try {
    const { detail, title } = membersOf(JSON.parse(text));
    return textOf(detail ?? title);
  } catch {
    // Not from Tonnage: for example an HTML page of a proxy.
    return 'no reason given';
  }
}

/** Whether an error message concerns a property of the token request. */
export function isRequestRefused(message: string): boolean {
  return /^(?:name|email|org|scope|rights|expiresAt): /.test(message);
}

/** Parses the response of `GET /api/v1/tokens`. Throws `unavailable` if it is not from a Tonnage server. */
export function readTokens(text: string): readonly TokenInfo[] {
  return parsed(text, (answer) => {
    const { tokens } = membersOf(answer);
    if (Array.isArray(tokens)) return tokens.map((each) => infoOf(membersOf(each)));
    throw new TypeError('expected a list of tokens');
  });
}

/** Parses the response of `POST /api/v1/tokens`. Throws `unavailable` if it is not from a Tonnage server. */
export function readCreatedToken(text: string): TokenInfo & { readonly token: string } {
  return parsed(text, (answer) => {
    const members = membersOf(answer);
    return { ...infoOf(members), token: textOf(members['token']) };
  });
}

function parsed<T>(text: string, read: (answer: unknown) => T): T {
  try {
    return read(JSON.parse(text));
  } catch (cause) {
    throw new TonnageError('unavailable', `the response is not from a Tonnage server: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function infoOf(members: Members): TokenInfo {
  const { name, email, org, scope, expiresAt, usedAt } = members;
  const listed = listOf(members['rights']);
  return {
    id: textOf(members['id']),
    kind: members['kind'] === 'path' ? 'path' : 'api',
    ...(name !== undefined && { name: textOf(name) }),
    ...(email !== undefined && { email: textOf(email) }),
    ...(org !== undefined && { org: textOf(org) }),
    ...(scope !== undefined && { scope: listOf(scope) }),
    rights: rights.filter((right) => listed.includes(right)),
    createdAt: timeOf(members['createdAt']),
    ...(expiresAt !== undefined && { expiresAt: timeOf(expiresAt) }),
    ...(usedAt !== undefined && { usedAt: timeOf(usedAt) }),
  };
}

function membersOf(value: unknown): Members {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new TypeError('expected an object');
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new TypeError('expected a text');
}

function listOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(textOf);
  throw new TypeError('expected a list');
}

function timeOf(value: unknown): number {
  const ms = Date.parse(textOf(value));
  if (Number.isFinite(ms)) return ms;
  throw new TypeError('expected a time');
}
