import { messageOf, TonnageError } from '../base/index.ts';
import { rights, type TokenInfo } from '../identity/index.ts';

type Members = Readonly<Record<string, unknown>>;

/** What a problem document (RFC 9457) says. */
export function readProblem(text: string): string {
  try {
    const { detail, title } = membersOf(JSON.parse(text));
    return textOf(detail ?? title);
  } catch {
    // Not ours, or something in between that answers in HTML.
    return 'no reason given';
  }
}

/** Whether a server or the ledger refuses what a token was to be, and not to make one at all. */
export function isWishRefused(message: string): boolean {
  return /^(?:name|email|org|scope|rights|expiresAt): /.test(message);
}

/** The answer to `GET /api/v1/tokens`. Throws `unavailable` when it is something else. */
export function readTokens(text: string): readonly TokenInfo[] {
  return understood(text, (answer) => {
    const { tokens } = membersOf(answer);
    if (Array.isArray(tokens)) return tokens.map((each) => factsOf(membersOf(each)));
    throw new TypeError('expected a list of tokens');
  });
}

/** The answer to `POST /api/v1/tokens`. Throws `unavailable` when it is something else. */
export function readMadeToken(text: string): TokenInfo & { readonly token: string } {
  return understood(text, (answer) => {
    const members = membersOf(answer);
    return { ...factsOf(members), token: textOf(members['token']) };
  });
}

function understood<T>(text: string, read: (answer: unknown) => T): T {
  try {
    return read(JSON.parse(text));
  } catch (cause) {
    throw new TonnageError('unavailable', `the server did not answer as a Tonnage server does: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function factsOf(members: Members): TokenInfo {
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
