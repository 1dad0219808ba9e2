import type { Credential } from './authorization.ts';
import type { Principal } from './principal.ts';

/**
 * The verdict on credentials: a principal, anonymous, or `undefined` if another authenticator may know them. `wrong`:
 * invalid, and other authenticators must not see them.
 */
export type Verdict = Principal | 'anonymous' | 'wrong' | undefined;

/** A principal that may be cached for at most `validForMs`. 0 or less: not at all. */
export interface TimedPrincipal {
  readonly principal: Principal;
  readonly validForMs: number;
}

/**
 * The result of a check. `busy`: too many checks are waiting. `unknown`: the identity provider is unavailable, and the
 * configuration treats the client as anonymous for this request.
 */
export type CheckVerdict = Verdict | TimedPrincipal | 'busy' | 'unknown';

/**
 * One way to authenticate credentials, in its own file. The first authenticator that knows a credential decides.
 *
 * `lookup` looks up random tokens in memory. It runs for each request, so a revocation applies at once. A wrong token
 * does not count as a failed login, because tokens cannot be guessed.
 *
 * `check` is expensive: it hashes a password or queries another system. Its results are cached, concurrent requests
 * with the same credentials share one check, and failures count against the client's address.
 */
export type Authenticator =
  | {
      readonly kind: 'lookup';
      authenticate(credential: Credential): Verdict;
    }
  | {
      readonly kind: 'check';
      /**
       * Returns `undefined` synchronously for a kind of credential that it does not handle. Rejects with a `TonnageError` if it is
       * unavailable: the request then fails; it is neither unauthorised nor anonymous. Waiting checks with a lower `rank` go first.
       */
      authenticate(credential: Credential, rank?: () => number): Promise<CheckVerdict> | undefined;
    };
