import type { Credential } from './authorization.ts';
import type { Principal } from './principal.ts';

/**
 * What credentials stand for: somebody, nobody in particular, or (`undefined`) nothing that is known here: another
 * authenticator may know them. `wrong` are those that nobody else needs to be asked about, nor should be shown.
 */
export type Verdict = Principal | 'anonymous' | 'wrong' | undefined;

/** Somebody, for a time of its own: a door remembers it no longer than that. 0 or less: not at all. */
export interface Finding {
  readonly principal: Principal;
  readonly goodForMs: number;
}

/**
 * What came of a check. `busy`: too many wait already. `unknown`: whoever could say is not there, and it is configured
 * that this stops nobody; they are nobody in particular then, for this one request.
 */
export type CheckVerdict = Verdict | Finding | 'busy' | 'unknown';

/**
 * One way of finding out who somebody is; each lives in a file of its own. The first that knows a credential decides.
 *
 * `lookup` finds random credentials that nobody can guess in memory. It is asked with each request, so that what it
 * takes back is gone at once; what it calls wrong is no failed login.
 *
 * `check` does work for its answer: hashes a password, asks another system. What it finds is remembered for a while, it
 * is asked once however many requests wait for the same answer, and failures count against the client's address.
 */
export type Authenticator =
  | {
      readonly kind: 'lookup';
      authenticate(credential: Credential): Verdict;
    }
  | {
      readonly kind: 'check';
      /**
       * Answers `undefined` at once for a kind of credential that it has nothing to do with. Rejects with a
       * `TonnageError` when it cannot say: the request fails then, and is neither refused nor taken for anonymous. Where
       * checks have to wait, those of a lower `rank` go first.
       */
      authenticate(credential: Credential, rank?: () => number): Promise<CheckVerdict> | undefined;
    };
