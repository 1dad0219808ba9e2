import type { Credential } from './authorization.ts';
import type { Principal } from './principal.ts';

/** What credentials stand for: somebody, nobody in particular, or (`undefined`) nothing: they are unknown or wrong. */
export type Verdict = Principal | 'anonymous' | undefined;

/**
 * One way of finding out who somebody is; each lives in a file of its own. The first that knows a credential decides.
 *
 * `lookup` finds random credentials that nobody can guess in memory. It is asked with each request, so that what it
 * takes back is gone at once.
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
       * Answers `undefined` at once for a kind of credential that it has nothing to do with. Resolves with `busy` when
       * too many checks wait already. Rejects with a `TonnageError` when it cannot say: the request fails then, and is
       * neither refused nor taken for anonymous.
       */
      authenticate(credential: Credential): Promise<Verdict | 'busy'> | undefined;
    };
