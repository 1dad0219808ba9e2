import { limits, type Clock, type Random } from '../base/index.ts';
import type { Verdict } from './authenticator.ts';
import type { Credential } from './authorization.ts';
import type { Principal, Right } from './principal.ts';

/** A token as `/v2/token` gives it out. */
export interface PullToken {
  readonly token: string;
  /** How long it is good from now on, in whole seconds. */
  readonly expiresInSeconds: number;
}

interface Issued {
  readonly token: string;
  readonly holder: Principal | undefined;
  readonly verdict: Principal | 'anonymous';
  /** Monotonic, in milliseconds. */
  readonly expiresAt: number;
}

/** Tells these tokens from those of others: what has ended is shown to nobody else, to ask whose it is. */
const prefix = 'tonnage-pull.';

const pullOnly: ReadonlySet<Right> = new Set(['pull']);
const noRights: ReadonlySet<Right> = new Set();

/**
 * The short-lived bearer tokens of the OCI challenge: opaque, for pulling only, kept in memory. After a restart clients
 * are challenged again. Whoever asks twice within half a token's life gets the same one, so that there are about as many
 * tokens as there are people, however often their clients ask.
 */
export class PullTokens {
  readonly kind = 'lookup';
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #isGood: (holder: Principal) => boolean;
  /** By token; oldest first, since each lives equally long. */
  readonly #issued = new Map<string, Issued>();
  /** The newest of each holder; `undefined` is who has no credentials. */
  readonly #newest = new Map<Principal | undefined, Issued>();

  /** `isGood`: whether a holder's own credentials are still good, where that can end before a token's life does. */
  constructor(options: { readonly clock: Clock; readonly random: Random; isGood?(holder: Principal): boolean }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#isGood = options.isGood?.bind(options) ?? (() => true);
  }

  /** A token that stands for `holder`, or for anybody when there is none. It never gives more than the right to pull. */
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
    if (isAlive && (issued.holder === undefined || this.#isGood(issued.holder))) return issued.verdict;
    return credential.token.startsWith(prefix) ? 'wrong' : undefined;
  }

  #add(holder: Principal | undefined, now: number): Issued {
    this.#forgetOld(now);
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

  /** Makes room for one: whoever holds a token that is dropped early is challenged again. */
  #forgetOld(now: number): void {
    for (const issued of this.#issued.values()) {
      if (issued.expiresAt > now && this.#issued.size < limits.credentialMemoryEntriesMax) return;
      this.#issued.delete(issued.token);
      if (this.#newest.get(issued.holder) === issued) this.#newest.delete(issued.holder);
    }
  }
}
