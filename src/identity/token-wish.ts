import { canonicalOrganisation, limits, organisationOfEmail, TonnageError } from '../base/index.ts';
import { rights as allRights, type Right } from './principal.ts';
import type { TokenKind } from './token-text.ts';

/** What somebody wants a token to be. */
export interface TokenWish {
  readonly kind: TokenKind;
  /** For people; the `user` of what is pulled with it. Default: `token-` and its id. */
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  /** Default: the organisation of the e-mail. Without either it is bound to none. */
  readonly org?: string | undefined;
  /** Repositories that it may pull, as `upstream/repository`, or `upstream/folder/*`. Absent: all. */
  readonly scope?: readonly string[] | undefined;
  /** Default: `pull` and `query`; a path token has `pull` and no other. */
  readonly rights?: readonly string[] | undefined;
  /** In milliseconds since the Unix epoch. Absent: never. */
  readonly expiresAt?: number | undefined;
  /** An access token of the configured Seqera Platform, whose answer says whose this one is. Never kept. */
  readonly platformToken?: string | undefined;
}

/** A wish that can be fulfilled. */
export interface GrantedWish {
  readonly kind: TokenKind;
  readonly name?: string;
  readonly email?: string;
  readonly org?: string;
  readonly scope?: readonly string[];
  readonly rights: readonly Right[];
  readonly expiresAt?: number;
}

const namePattern = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u;
const scopePattern = /^[a-z0-9][a-z0-9.:_-]*(\/[a-z0-9._-]+)*(\/\*)?$/;

function refused(what: string, expected: string, came: string): TonnageError {
  return new TonnageError('bad_request', `${what}: expected ${expected}, got ${JSON.stringify(came.slice(0, 80))}`);
}

/** Checks a wish; `now` in milliseconds since the Unix epoch. Throws `bad_request` that says which part cannot be. */
export function grantWish(wish: TokenWish, now: number): GrantedWish {
  const { kind, name, email, scope, expiresAt } = wish;
  if (wish.platformToken !== undefined) {
    throw new TonnageError('bad_request', 'platformToken: expected a running server, which asks the Platform');
  }
  if (name !== undefined && (name.length > limits.tokenNameLengthMax || !namePattern.test(name))) {
    throw refused('name', `1 to ${limits.tokenNameLengthMax} characters that can be seen`, name);
  }
  if (email !== undefined && organisationOfEmail(email) === undefined)
    throw refused('email', 'an e-mail address', email);
  const stated = wish.org === undefined ? undefined : canonicalOrganisation(wish.org);
  if (wish.org !== undefined && stated === undefined) {
    throw refused('org', 'an organisation such as example.org', wish.org);
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
    ...(scope !== undefined && { scope: grantScope(scope) }),
    rights: grantRights(kind, wish.rights),
    ...(expiresAt !== undefined && { expiresAt }),
  };
}

function grantScope(scope: readonly string[]): readonly string[] {
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

function grantRights(kind: TokenKind, wanted: readonly string[] | undefined): readonly Right[] {
  const rights = wanted ?? (kind === 'path' ? ['pull'] : ['pull', 'query']);
  const granted = allRights.filter((right) => rights.includes(right));
  const unknown = rights.find((right) => !allRights.some((known) => known === right));
  if (unknown !== undefined || granted.length === 0) {
    throw refused('rights', `some of ${allRights.join(', ')}`, unknown ?? '');
  }
  if (kind === 'path' && granted.some((right) => right !== 'pull')) {
    throw refused(
      'rights',
      'nothing but pull for a path token, which is seen by whoever sees an address',
      rights.join(),
    );
  }
  return granted;
}
