import { limits, type Clock, type Random } from '../base/index.ts';
import type { Verdict } from './authenticator.ts';
import type { Credential } from './authorization.ts';
import type { Principal, Right } from './principal.ts';

/** A token from `/v2/token`. */
export interface PullToken {
  readonly token: string;
  /** Remaining lifetime in whole seconds. */
  readonly expiresInSeconds: number;
}

interface Issued {
  readonly token: string;
  readonly holder: Principal | undefined;
  readonly verdict: Principal | 'anonymous';
  /** Monotonic, in milliseconds. */
  readonly expiresAt: number;
}

/** Identifies these tokens, so that expired ones are not passed to other authenticators. */
const prefix = 'tonnage-pull.';

const pullOnly: ReadonlySet<Right> = new Set(['pull']);
const noRights: ReadonlySet<Right> = new Set();

/**
 * The short-lived bearer tokens of the OCI challenge: opaque, in memory, for pulling only. After a restart clients are challenged
 * again. A principal gets the same token again for half its lifetime, so that the number of tokens is about that of principals.
 */
export class PullTokens {
  readonly kind = 'lookup';
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #isValid: (holder: Principal) => boolean;
  /** By token, oldest first. All have the same lifetime. */
  readonly #issued = new Map<string, Issued>();
  /** The newest token of each principal; `undefined` is anonymous. */
  readonly #newest = new Map<Principal | undefined, Issued>();

  /** `isValid`: whether a principal's own credentials are still valid, for example not revoked. Default: true. */
  constructor(options: { readonly clock: Clock; readonly random: Random; isValid?(holder: Principal): boolean }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#isValid = options.isValid?.bind(options) ?? (() => true);
  }

  /** A token for `holder`, or an anonymous one. It has at most the right to pull. */
  issue(holder: Principal | undefined): PullToken {
    const now = this.#clock.monotonic();
    const newest = this.#newest.get(holder);
    const issued =
      newest !== undefined && newest.expiresAt - now >= limits.pullTokenMs / 2 ? newest : this.#add(holder, now);
    return { token: issued.token, expiresInSeconds: Math.floor((issued.expiresAt - now) / 1000) };
  }

  authenticate(credential: Credential): Verdict {
    if (credential.scheme !== 'bearer') return undefined;
    const issued = this.#issued.get(credential.token);
    const isAlive = issued !== undefined && issued.expiresAt > this.#clock.monotonic();
    if (isAlive && (issued.holder === undefined || this.#isValid(issued.holder))) return issued.verdict;
    return credential.token.startsWith(prefix) ? 'wrong' : undefined;
  }

  #add(holder: Principal | undefined, now: number): Issued {
    this.#removeOld(now);
    const rights = holder?.rights.has('pull') === true ? pullOnly : noRights;
    const issued: Issued = {
      token: prefix + Buffer.from(this.#random.bytes(32)).toString('base64url'),
      holder,
      verdict: holder === undefined ? 'anonymous' : Object.freeze({ ...holder, rights }),
      expiresAt: now + limits.pullTokenMs,
    };
    this.#issued.set(issued.token, issued);
    this.#newest.set(holder, issued);
    return issued;
  }

  /** Removes expired tokens, and the oldest if there are too many: their clients are challenged again. */
  #removeOld(now: number): void {
    for (const issued of this.#issued.values()) {
      if (issued.expiresAt > now && this.#issued.size < limits.credentialMemoryEntriesMax) return;
      this.#issued.delete(issued.token);
      if (this.#newest.get(issued.holder) === issued) this.#newest.delete(issued.holder);
    }
  }
}
