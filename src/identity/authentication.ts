import { limits, SingleFlight, TonnageError, type Clock, type Random } from '../base/index.ts';
import type { MetricSet } from '../metric/index.ts';
import type { AddressRules } from './address-rules.ts';
import type { Authenticator, CheckVerdict, TimedPrincipal } from './authenticator.ts';
import { parseAuthorization, type Credential } from './authorization.ts';
import { CredentialCache } from './credential-cache.ts';
import { LoginLimited } from './login-limited.ts';
import { LoginLimiter, type Attempt } from './login-limiter.ts';
import { isLoopbackHost } from './loopback.ts';
import { identityInstruments, type CheckOutcome, type IdentityInstruments } from './metrics.ts';
import { rights, type Principal, type Right } from './principal.ts';

/** The parts of a request that authentication uses. */
export interface AuthRequest {
  /** The `Authorization` header. */
  readonly authorization?: string | undefined;
  /** The client's address. Failed logins count by address. */
  readonly remoteAddress: string;
  /** The `Host` header. */
  readonly host?: string | undefined;
  /** `loopback` if only this machine can reach the listener (`isLoopbackAddress`). */
  readonly listener: 'loopback' | 'open';
  /**
   * Whether the listener is a loopback listener but `Host` names neither this machine nor a trusted proxy. A page of
   * another site can make a browser on this machine send such a request (DNS rebinding).
   */
  readonly foreignHost?: boolean;
}

export type Outcome =
  /** Authenticated. */
  | { readonly kind: 'principal'; readonly principal: Principal }
  /**
   * Anonymous, with the rights of `principal`. `byAddress`: the principal of a matching address rule, for which pulls
   * count. `unknown`: there were credentials, but the identity provider was unavailable.
   */
  | {
      readonly kind: 'anonymous';
      readonly principal: Principal;
      readonly byAddress?: Principal;
      readonly unknown?: true;
    }
  /** 421: no authenticator is configured, and the request came from this machine with a foreign `Host`. */
  | { readonly kind: 'misdirected' }
  /** 401. `missing`: credentials are required. `wrong`: they are invalid. */
  | { readonly kind: 'unauthorized'; readonly reason: 'missing' | 'wrong' }
  /** 429: too many failed or concurrent logins from this address. */
  | { readonly kind: 'limited'; readonly retryAfterSeconds: number };

export interface AuthenticationOptions {
  /** In the order in which they are tried. None: clients cannot log in. */
  readonly authenticators: readonly Authenticator[];
  /** Authenticators of tokens that this server issues, tried first. They do not count as configured authenticators. */
  readonly issued?: readonly Authenticator[];
  /** Organisation by client address, for requests without credentials. Default: none. */
  readonly addresses?: AddressRules;
  /** Whether clients without credentials may pull. */
  readonly anonymousPull: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: MetricSet;
}

type Anonymous = Extract<Outcome, { kind: 'anonymous' }>;

function anonymous(granted: readonly Right[]): Anonymous {
  return { kind: 'anonymous', principal: Object.freeze({ subject: 'anonymous', rights: new Set(granted) }) };
}

const misdirected: Outcome = { kind: 'misdirected' };
const missing: Outcome = { kind: 'unauthorized', reason: 'missing' };
const wrong: Outcome = { kind: 'unauthorized', reason: 'wrong' };
const anonymousWithAllRights = anonymous(rights);
const anonymousWithPull = anonymous(['pull']);
const unknownWithPull: Anonymous = { ...anonymousWithPull, unknown: true };
const busyRetrySeconds = 1;

/**
 * Authenticates requests:
 *
 * 1. No credentials, or an empty user with an empty password: anonymous. The client may pull if anonymous pulls are allowed or an
 *    address rule matches. If no authenticator is configured, a request on a loopback listener has all rights if its Host is a
 *    loopback name, and is rejected if its Host is foreign; on other listeners it may only pull.
 * 2. Credentials that an authenticator knows: that principal.
 * 3. Any other credentials: unauthorised, never anonymous.
 */
export class Authentication {
  readonly #authenticators: readonly Authenticator[];
  readonly #isOpen: boolean;
  readonly #addresses: AddressRules;
  readonly #anonymousPull: boolean;
  readonly #cache: CredentialCache<Outcome>;
  /** Wrong credentials, for a short time: a client that repeats the same ones is not guessing. */
  readonly #rejected: CredentialCache<true>;
  readonly #limiter: LoginLimiter;
  readonly #instruments: IdentityInstruments;
  /** By the HMAC of the header: requests with the same credentials share one check. */
  readonly #checks = new SingleFlight<CheckVerdict>();

  constructor(options: AuthenticationOptions) {
    this.#authenticators = [...(options.issued ?? []), ...options.authenticators];
    this.#isOpen = options.authenticators.length === 0;
    this.#addresses = options.addresses ?? (() => undefined);
    this.#anonymousPull = options.anonymousPull;
    this.#cache = new CredentialCache(options.clock, options.random);
    this.#rejected = new CredentialCache(options.clock, options.random);
    this.#limiter = new LoginLimiter(options.clock);
    this.#instruments = identityInstruments(options.metrics);
  }

  /**
   * Authenticates a request. Returns a promise only if credentials must be checked. It rejects with
   * `identity_unavailable` if an authenticator is unavailable.
   */
  authenticate(request: AuthRequest): Outcome | Promise<Outcome> {
    const header = request.authorization;
    if (header === undefined) return this.#withoutCredentials(request);
    // Clients send the challenge's token with every request, so look it up before computing an HMAC.
    if (/^bearer /i.test(header)) {
      const found = this.#lookUp(parseAuthorization(header), request);
      if (found !== undefined) return found;
    }
    const key = this.#cache.keyOf(header);
    const cached = this.#cache.get(key);
    if (cached !== undefined) return cached;
    if (this.#rejected.get(key) !== undefined) return wrong;

    const credential = parseAuthorization(header);
    if (credential === 'none') return this.#withoutCredentials(request);
    if (credential === 'malformed') return wrong;
    return this.#lookUp(credential, request) ?? this.#check(credential, key, request);
  }

  #withoutCredentials(request: AuthRequest): Outcome {
    const hasAllRights = this.#isOpen && request.listener === 'loopback' && isLoopbackHost(request.host);
    const byAddress = this.#addresses(request.remoteAddress);
    if (hasAllRights) return byAddress ? { ...anonymousWithAllRights, byAddress } : anonymousWithAllRights;
    return this.#anonymous(byAddress, request) ?? missing;
  }

  /** The outcome for a client that is not authenticated; `undefined` if it is not allowed. */
  #anonymous(byAddress: Principal | undefined, request: AuthRequest): Outcome | undefined {
    if (this.#isOpen && request.foreignHost === true) return misdirected;
    if (byAddress !== undefined) return { kind: 'anonymous', principal: byAddress, byAddress };
    return this.#anonymousPull ? anonymousWithPull : undefined;
  }

  #lookUp(credential: Credential | 'none' | 'malformed', request: AuthRequest): Outcome | undefined {
    if (typeof credential === 'string') return undefined;
    for (const authenticator of this.#authenticators) {
      const verdict = authenticator.kind === 'lookup' ? authenticator.authenticate(credential) : undefined;
      // Not a failed login: tokens cannot be guessed, and most wrong ones have expired or were issued before a restart.
      if (verdict === 'wrong') return this.#counted('refused', wrong);
      if (verdict !== undefined) return this.#outcomeOf(verdict, request);
    }
    return undefined;
  }

  #check(credential: Credential, key: string, request: AuthRequest): Promise<Outcome> {
    // Sharing a check that is in flight is not another attempt.
    if (this.#checks.has(key)) return this.#find(credential, key, request);
    const attempt = this.#limiter.attempt(request.remoteAddress);
    if (!(attempt instanceof Promise)) return this.#try(attempt, credential, key, request);
    return attempt.then((permitted) => this.#try(permitted, credential, key, request));
  }

  async #try(attempt: Attempt | number, credential: Credential, key: string, request: AuthRequest): Promise<Outcome> {
    if (typeof attempt === 'number') return this.#counted('limited', { kind: 'limited', retryAfterSeconds: attempt });
    let outcome: Outcome | undefined;
    try {
      // Another request with the same credentials may have succeeded while this one waited.
      outcome = this.#cache.get(key) ?? (await this.#find(credential, key, request, attempt.rank));
      return outcome;
    } finally {
      if (outcome === wrong) attempt.fail();
      else attempt.forgive();
    }
  }

  /**
   * The outcome of a check. Rejects if the authenticator is unavailable. An address with many wrong tries has a high
   * rank, so that a first login from another address does not wait behind it.
   */
  async #find(credential: Credential, key: string, request: AuthRequest, rank?: () => number): Promise<Outcome> {
    let verdict: CheckVerdict;
    try {
      verdict = await this.#checks.run(key, () => this.#checkAll(credential, rank));
      if (verdict === 'unknown' && !this.#anonymousPull) throw unavailable();
    } catch (thrown) {
      this.#instruments.checks.failed.inc();
      throw thrown;
    }
    if (verdict === undefined || verdict === 'wrong') {
      this.#rejected.set(key, true, limits.loginRefusalMs);
      return this.#counted('refused', wrong);
    }
    if (verdict === 'busy') return this.#counted('limited', { kind: 'limited', retryAfterSeconds: busyRetrySeconds });
    if (verdict === 'unknown') return this.#counted('unknown', unknownWithPull);
    const { principal, validForMs } = timed(verdict);
    const outcome = this.#outcomeOf(principal, request);
    if (principal !== 'anonymous') this.#cache.set(key, outcome, Math.min(validForMs, limits.credentialMemoryMs));
    return this.#counted('accepted', outcome);
  }

  async #checkAll(credential: Credential, rank?: () => number): Promise<CheckVerdict> {
    for (const authenticator of this.#authenticators) {
      // Sequential: an authenticator sees only credentials that the previous ones do not know.
      const verdict = await authenticator.authenticate(credential, rank);
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  }

  #outcomeOf(verdict: Principal | 'anonymous', request: AuthRequest): Outcome {
    if (verdict !== 'anonymous') return { kind: 'principal', principal: verdict };
    return this.#anonymous(this.#addresses(request.remoteAddress), request) ?? wrong;
  }

  #counted(outcome: CheckOutcome, answer: Outcome): Outcome {
    this.#instruments.checks[outcome].inc();
    return answer;
  }
}

function timed(verdict: Principal | 'anonymous' | TimedPrincipal): {
  readonly principal: Principal | 'anonymous';
  readonly validForMs: number;
} {
  if (verdict !== 'anonymous' && 'validForMs' in verdict) return verdict;
  return { principal: verdict, validForMs: limits.credentialMemoryMs };
}

function unavailable(): TonnageError {
  return new TonnageError('identity_unavailable', 'the identity provider is unavailable; try again');
}

/** Why a token with a Debusine scope is refused everywhere else. */
export const debusinePagesOnly =
  'expected other credentials: this token opens only the pages of Debusine sources (--debusine-scope)';

/**
 * The principal of an outcome if it has `right` and is not confined to the pages of Debusine sources. Throws `unauthorized` if credentials are wrong or missing, `forbidden` if they are
 * valid but do not have the right, `login_limited` if the client must wait, and `identity_unavailable` if they could not be checked.
 */
export function requireRight(outcome: Outcome, right: Right): Principal {
  switch (outcome.kind) {
    case 'principal':
      if (outcome.principal.debusineScope !== undefined) throw new TonnageError('forbidden', debusinePagesOnly);
      if (outcome.principal.rights.has(right)) return outcome.principal;
      throw new TonnageError('forbidden', `these credentials do not have the right ${right}`);
    case 'anonymous':
      if (outcome.principal.rights.has(right)) return outcome.principal;
      if (outcome.unknown === true) throw unavailable();
      throw new TonnageError('unauthorized', `credentials with the right ${right} are required`);
    case 'misdirected':
      throw new TonnageError('unauthorized', 'credentials are required for this Host: expected a loopback name');
    case 'unauthorized':
      throw new TonnageError(
        'unauthorized',
        outcome.reason === 'wrong' ? 'these credentials are wrong' : 'credentials are required',
      );
    case 'limited':
      throw new LoginLimited(outcome.retryAfterSeconds);
  }
}
