import { canonicalOrganisation, limits, organisationOfEmail, TonnageError } from '../base/index.ts';
import { rights as allRights, type Right } from './principal.ts';
import type { TokenKind } from './token-text.ts';

/** The properties of a new token. */
export interface TokenRequest {
  readonly kind: TokenKind;
  /** Display name, and the dimension `user` of its pulls. Default: `token-` and its id. */
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  /** Default: the organisation of the e-mail address. Without either the token has none. */
  readonly org?: string | undefined;
  /** Repositories that it may pull, as `upstream/repository`, or `upstream/folder/*`. Absent: all. */
  readonly scope?: readonly string[] | undefined;
  /** The Debusine scope that it reads. It then opens the pages of Debusine sources and nothing else. */
  readonly debusineScope?: string | undefined;
  /** Default: `pull` and `query`. A path token has only `pull`, one with a Debusine scope only `query`. */
  readonly rights?: readonly string[] | undefined;
  /** Milliseconds since the Unix epoch. Absent: never expires. */
  readonly expiresAt?: number | undefined;
  /** An access token of the configured Seqera Platform, which identifies the owner of the new token. Never stored. */
  readonly platformToken?: string | undefined;
}

/** A valid token request, with defaults. */
export interface CheckedTokenRequest {
  readonly kind: TokenKind;
  readonly name?: string;
  readonly email?: string;
  readonly org?: string;
  readonly scope?: readonly string[];
  readonly debusineScope?: string;
  readonly rights: readonly Right[];
  readonly expiresAt?: number;
}

const namePattern = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u;
/** Its length is counted in code points, as PostgreSQL does. */
const debusineScopePattern = new RegExp(
  String.raw`^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]{1,${limits.debusineScopeLengthMax}}$`,
  'u',
);
const scopePattern = /^[a-z0-9][a-z0-9.:_-]*(\/[a-z0-9._-]+)*(\/\*)?$/;

function refused(what: string, expected: string, got: string): TonnageError {
  return new TonnageError('bad_request', `${what}: expected ${expected}, got ${JSON.stringify(got.slice(0, 80))}`);
}

/** Checks a token request. `now` is in milliseconds since the Unix epoch. Throws `bad_request` for an invalid property. */
export function checkTokenRequest(request: TokenRequest, now: number): CheckedTokenRequest {
  const { kind, name, email, scope, debusineScope, expiresAt } = request;
  if (request.platformToken !== undefined) {
    throw new TonnageError('bad_request', 'platformToken: expected a running server, which queries the Platform');
  }
  if (name !== undefined && (name.length > limits.tokenNameLengthMax || !namePattern.test(name))) {
    throw refused('name', `1 to ${limits.tokenNameLengthMax} visible characters`, name);
  }
  if (email !== undefined && organisationOfEmail(email) === undefined)
    throw refused('email', 'an e-mail address', email);
  const stated = request.org === undefined ? undefined : canonicalOrganisation(request.org);
  if (request.org !== undefined && stated === undefined) {
    throw refused('org', 'an organisation such as example.org', request.org);
  }
  const org = stated ?? (email === undefined ? undefined : organisationOfEmail(email));
  if (expiresAt !== undefined && expiresAt <= now) {
    throw refused('expiresAt', 'a time in the future', new Date(expiresAt).toISOString());
  }
  return {
    kind,
    ...(name !== undefined && { name }),
    ...(email !== undefined && { email }),
    ...(org !== undefined && { org }),
    ...(scope !== undefined && { scope: checkScope(scope) }),
    ...(debusineScope !== undefined && { debusineScope: checkDebusineScope(debusineScope, request) }),
    rights: checkRights(kind, request.rights ?? (debusineScope === undefined ? undefined : ['query'])),
    ...(expiresAt !== undefined && { expiresAt }),
  };
}

function checkScope(scope: readonly string[]): readonly string[] {
  if (scope.length === 0 || scope.length > limits.tokenScopeMax) {
    throw new TonnageError(
      'bad_request',
      `scope: expected 1 to ${limits.tokenScopeMax} repositories, got ${scope.length}`,
    );
  }
  for (const each of scope) {
    if (each.length <= limits.repositoryNameLengthMax && scopePattern.test(each)) continue;
    throw refused('scope', 'repositories such as docker.io/library/alpine, or docker.io/library/*', each);
  }
  return scope;
}

/** The scope of a token that opens only the pages of Debusine sources, so it has no use for any other property of access. */
function checkDebusineScope(debusineScope: string, { kind, scope, rights }: TokenRequest): string {
  if (!debusineScopePattern.test(debusineScope)) {
    throw refused('debusineScope', `1 to ${limits.debusineScopeLengthMax} visible characters`, debusineScope);
  }
  const expected = 'debusineScope: expected an API token with the right query and no scope of repositories';
  if (kind === 'path') throw new TonnageError('bad_request', `${expected}, got a path token`);
  if (scope !== undefined) throw new TonnageError('bad_request', `${expected}, got a scope of repositories`);
  if (rights !== undefined && !(rights.length > 0 && rights.every((right) => right === 'query'))) {
    throw refused('debusineScope', 'an API token with the right query and no scope of repositories', rights.join());
  }
  return debusineScope;
}

function checkRights(kind: TokenKind, wanted: readonly string[] | undefined): readonly Right[] {
  const rights = wanted ?? (kind === 'path' ? ['pull'] : ['pull', 'query']);
  const granted = allRights.filter((right) => rights.includes(right));
  const unknown = rights.find((right) => !allRights.some((known) => known === right));
  if (unknown !== undefined || granted.length === 0) {
    throw refused('rights', `some of ${allRights.join(', ')}`, unknown ?? '');
  }
  if (kind === 'path' && granted.some((right) => right !== 'pull')) {
    throw refused('rights', 'only pull for a path token, because it is visible in URLs', rights.join());
  }
  return granted;
}
