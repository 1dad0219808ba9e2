import { rights, type TokenInfo } from '../identity/index.ts';
import { listOf, membersOf, readResponse, textOf } from './server-response.ts';

/** Whether an error message concerns a property of the token request. */
export function isRequestRefused(message: string): boolean {
  return /^(?:name|email|org|scope|debusineScope|rights|expiresAt): /.test(message);
}

/** Parses the response of `GET /api/v1/tokens`. Throws `unavailable` if it is not from a Tonnage server. */
export function readTokens(text: string): readonly TokenInfo[] {
  return readResponse(text, (answer) => listOf(membersOf(answer)['tokens']).map(infoOf), JSON.parse);
}

/** Parses the response of `POST /api/v1/tokens`. Throws `unavailable` if it is not from a Tonnage server. */
export function readCreatedToken(text: string): TokenInfo & { readonly token: string } {
  const read = (answer: unknown) => ({ ...infoOf(answer), token: textOf(membersOf(answer)['token']) });
  return readResponse(text, read, JSON.parse);
}

function infoOf(value: unknown): TokenInfo {
  const members = membersOf(value);
  const { name, email, org, scope, debusineScope, expiresAt, usedAt } = members;
  const listed = textsOf(members['rights']);
  return {
    id: textOf(members['id']),
    kind: members['kind'] === 'path' ? 'path' : 'api',
    ...(name !== undefined && { name: textOf(name) }),
    ...(email !== undefined && { email: textOf(email) }),
    ...(org !== undefined && { org: textOf(org) }),
    ...(scope !== undefined && { scope: textsOf(scope) }),
    ...(debusineScope !== undefined && { debusineScope: textOf(debusineScope) }),
    rights: rights.filter((right) => listed.includes(right)),
    createdAt: timeOf(members['createdAt']),
    ...(expiresAt !== undefined && { expiresAt: timeOf(expiresAt) }),
    ...(usedAt !== undefined && { usedAt: timeOf(usedAt) }),
  };
}

const textsOf = (value: unknown): readonly string[] => listOf(value).map(textOf);

function timeOf(value: unknown): number {
  const ms = Date.parse(textOf(value));
  if (Number.isFinite(ms)) return ms;
  throw new TypeError('expected a time');
}
