import { limits, SingleFlight, TonnageError, type Clock, type Random } from '../base/index.ts';
import type { MetricSet } from '../metric/index.ts';
import type { AddressRules } from './address-rules.ts';
import type { Authenticator, CheckVerdict, Finding } from './authenticator.ts';
import { parseAuthorization, type Credential } from './authorization.ts';
import { CredentialMemory } from './credential-memory.ts';
import { LoginLimited } from './login-limited.ts';
import { LoginLimiter, type Attempt } from './login-limiter.ts';
import { isLoopbackHost } from './loopback.ts';
import { identityInstruments, type CheckOutcome, type IdentityInstruments } from './metrics.ts';
import { rights, type Principal, type Right } from './principal.ts';

/** What the door looks at of a request. */
export interface Visitor {
  /** The `Authorization` header. */
  readonly authorization?: string | undefined;
  /** The client's address; failed logins are counted by it. */
  readonly remoteAddress: string;
  /** The `Host` header. */
  readonly host?: string | undefined;
  /** Whether the request came in on a listener that only this machine reaches (`isLoopbackAddress`). */
  readonly listener: 'loopback' | 'open';
  /**
   * Whether the listener is a loopback one, but `Host` is a name that neither this machine nor a trusted proxy uses. A page
   * of another site can make a browser on this machine send such a request (DNS rebinding).
   */
  readonly foreignHost?: boolean;
}

export type Outcome =
  /** Somebody who has shown who they are. */
  | { readonly kind: 'principal'; readonly principal: Principal }
  /**
   * Nobody in particular; `principal` says what they may do here. `byAddress` is whom their pulls count for, where a rule
   * for their address says so. `unknown`: there were credentials that nobody could be asked about.
   */
  | {
      readonly kind: 'anonymous';
      readonly principal: Principal;
      readonly byAddress?: Principal;
      readonly unknown?: true;
    }
  /** 421: no authenticator is configured, and the request came from this machine under a foreign `Host`. */
  | { readonly kind: 'misdirected' }
  /** 401. `missing`: there were no credentials, and without them nothing is allowed. `wrong`: they are not good. */
  | { readonly kind: 'unauthorized'; readonly reason: 'missing' | 'wrong' }
  /** 429: too many failed logins from this address, or too many at once. */
  | { readonly kind: 'limited'; readonly retryAfterSeconds: number };

export interface Door {
  /**
   * Finds out who asks. Answers at once where there are no credentials, remembered ones, or ones that need no work;
   * a promise only where something has to be checked. It rejects when an authenticator cannot say.
   */
  enter(visitor: Visitor): Outcome | Promise<Outcome>;
}

export interface DoorOptions {
  /** In the order in which they are asked. None: nobody can log in. */
  readonly authenticators: readonly Authenticator[];
  /** Tokens that this server itself gives out, asked before the others. That there are some closes no open door. */
  readonly issued?: readonly Authenticator[];
  /** Who is where, of those that show no credentials. Default: that says nothing. */
  readonly addresses?: AddressRules;
  /** Whether who shows no credentials may pull. */
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
 * The one place that decides who somebody is:
 *
 * 1. No credentials (or an empty user with an empty password): anonymous, who may pull if that is allowed, or if a rule
 *    says whose address it is. Where nobody can log in, a request on a loopback listener whose Host is a loopback name
 *    has all rights, and one whose Host is foreign is refused; on any other listener it may pull, and no more.
 * 2. Credentials that an authenticator knows: that principal.
 * 3. Any other credentials: unauthorized, never anonymous.
 */
export function createDoor(options: DoorOptions): Door {
  return new CheckingDoor(options);
}

class CheckingDoor implements Door {
  readonly #authenticators: readonly Authenticator[];
  readonly #isOpen: boolean;
  readonly #addresses: AddressRules;
  readonly #anonymousPull: boolean;
  readonly #memory: CredentialMemory<Outcome>;
  /** Wrong ones, for a short time: a client that keeps on trying the same guesses nothing. */
  readonly #refused: CredentialMemory<true>;
  readonly #limiter: LoginLimiter;
  readonly #instruments: IdentityInstruments;
  /** By the HMAC of the header: requests with the same credentials share one check. */
  readonly #checks = new SingleFlight<CheckVerdict>();

  constructor(options: DoorOptions) {
    this.#authenticators = [...(options.issued ?? []), ...options.authenticators];
    this.#isOpen = options.authenticators.length === 0;
    this.#addresses = options.addresses ?? (() => undefined);
    this.#anonymousPull = options.anonymousPull;
    this.#memory = new CredentialMemory(options.clock, options.random);
    this.#refused = new CredentialMemory(options.clock, options.random);
    this.#limiter = new LoginLimiter(options.clock);
    this.#instruments = identityInstruments(options.metrics);
  }

  enter(visitor: Visitor): Outcome | Promise<Outcome> {
    const header = visitor.authorization;
    if (header === undefined) return this.#withoutCredentials(visitor);
    // A client shows the token of the challenge with each request: it is found without the price of an HMAC.
    if (/^bearer /i.test(header)) {
      const found = this.#lookUp(parseAuthorization(header), visitor);
      if (found !== undefined) return found;
    }
    const key = this.#memory.keyOf(header);
    const remembered = this.#memory.get(key);
    if (remembered !== undefined) return remembered;
    if (this.#refused.get(key) !== undefined) return wrong;

    const credential = parseAuthorization(header);
    if (credential === 'none') return this.#withoutCredentials(visitor);
    if (credential === 'malformed') return wrong;
    return this.#lookUp(credential, visitor) ?? this.#check(credential, key, visitor);
  }

  #withoutCredentials(visitor: Visitor): Outcome {
    const hasAllRights = this.#isOpen && visitor.listener === 'loopback' && isLoopbackHost(visitor.host);
    const byAddress = this.#addresses(visitor.remoteAddress);
    if (hasAllRights) return byAddress ? { ...anonymousWithAllRights, byAddress } : anonymousWithAllRights;
    return this.#nobody(byAddress, visitor) ?? missing;
  }

  /** Who has shown nothing that says who they are; `undefined` where they may not be here. */
  #nobody(byAddress: Principal | undefined, visitor: Visitor): Outcome | undefined {
    if (this.#isOpen && visitor.foreignHost === true) return misdirected;
    if (byAddress !== undefined) return { kind: 'anonymous', principal: byAddress, byAddress };
    return this.#anonymousPull ? anonymousWithPull : undefined;
  }

  #lookUp(credential: Credential | 'none' | 'malformed', visitor: Visitor): Outcome | undefined {
    if (typeof credential === 'string') return undefined;
    for (const authenticator of this.#authenticators) {
      const verdict = authenticator.kind === 'lookup' ? authenticator.authenticate(credential) : undefined;
      // Nobody guesses these: most that are wrong have ended, or are of before a restart, and count for no failed login.
      if (verdict === 'wrong') return this.#counted('refused', wrong);
      if (verdict !== undefined) return this.#outcomeOf(verdict, visitor);
    }
    return undefined;
  }

  #check(credential: Credential, key: string, visitor: Visitor): Promise<Outcome> {
    // Who comes with credentials that are being looked at already makes no guess of their own.
    if (this.#checks.has(key)) return this.#find(credential, key, visitor);
    const attempt = this.#limiter.attempt(visitor.remoteAddress);
    if (!(attempt instanceof Promise)) return this.#try(attempt, credential, key, visitor);
    return attempt.then((later) => this.#try(later, credential, key, visitor));
  }

  async #try(attempt: Attempt | number, credential: Credential, key: string, visitor: Visitor): Promise<Outcome> {
    if (typeof attempt === 'number') return this.#counted('limited', { kind: 'limited', retryAfterSeconds: attempt });
    let outcome: Outcome | undefined;
    try {
      // Somebody else may have shown the same while this one waited.
      outcome = this.#memory.get(key) ?? (await this.#find(credential, key, visitor, attempt.rank));
      return outcome;
    } finally {
      if (outcome === wrong) attempt.fail();
      else attempt.forgive();
    }
  }

  /**
   * The outcome of a check. Rejects if the authenticator is unavailable. An address with many wrong tries has a high rank, so
   * that a first login from another address does not wait behind it.
   */
  async #find(credential: Credential, key: string, visitor: Visitor, rank?: () => number): Promise<Outcome> {
    let verdict: CheckVerdict;
    try {
      verdict = await this.#checks.run(key, () => this.#ask(credential, rank));
      if (verdict === 'unknown' && !this.#anonymousPull) throw unavailable();
    } catch (thrown) {
      this.#instruments.checks.failed.inc();
      throw thrown;
    }
    if (verdict === undefined || verdict === 'wrong') {
      this.#refused.set(key, true, limits.loginRefusalMs);
      return this.#counted('refused', wrong);
    }
    if (verdict === 'busy') return this.#counted('limited', { kind: 'limited', retryAfterSeconds: busyRetrySeconds });
    if (verdict === 'unknown') return this.#counted('unknown', unknownWithPull);
    const { principal, goodForMs } = findingOf(verdict);
    const outcome = this.#outcomeOf(principal, visitor);
    if (principal !== 'anonymous') this.#memory.set(key, outcome, Math.min(goodForMs, limits.credentialMemoryMs));
    return this.#counted('accepted', outcome);
  }

  async #ask(credential: Credential, rank?: () => number): Promise<CheckVerdict> {
    for (const authenticator of this.#authenticators) {
      // One after the other: the next is only asked for what those before it do not know.
      const verdict = await authenticator.authenticate(credential, rank);
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  }

  #outcomeOf(verdict: Principal | 'anonymous', visitor: Visitor): Outcome {
    if (verdict !== 'anonymous') return { kind: 'principal', principal: verdict };
    return this.#nobody(this.#addresses(visitor.remoteAddress), visitor) ?? wrong;
  }

  #counted(outcome: CheckOutcome, answer: Outcome): Outcome {
    this.#instruments.checks[outcome].inc();
    return answer;
  }
}

function findingOf(verdict: Principal | 'anonymous' | Finding): {
  readonly principal: Principal | 'anonymous';
  readonly goodForMs: number;
} {
  if (verdict !== 'anonymous' && 'goodForMs' in verdict) return verdict;
  return { principal: verdict, goodForMs: limits.credentialMemoryMs };
}

function unavailable(): TonnageError {
  return new TonnageError(
    'identity_unavailable',
    'who could say whose credentials these are does not answer; try again',
  );
}

/**
 * Who may go on with `right`. Throws `unauthorized` where credentials are wrong or (other) credentials could help,
 * `forbidden` where they are good but do not give the right, `login_limited` where the client has to wait,
 * `identity_unavailable` where nobody could say whose they are.
 */
export function requireRight(outcome: Outcome, right: Right): Principal {
  switch (outcome.kind) {
    case 'principal':
      if (outcome.principal.rights.has(right)) return outcome.principal;
      throw new TonnageError('forbidden', `these credentials do not give the right ${right}`);
    case 'anonymous':
      if (outcome.principal.rights.has(right)) return outcome.principal;
      if (outcome.unknown === true) throw unavailable();
      throw new TonnageError('unauthorized', `credentials with the right ${right} are needed`);
    case 'misdirected':
      throw new TonnageError('unauthorized', 'credentials are needed under this Host: expected a loopback name');
    case 'unauthorized':
      throw new TonnageError(
        'unauthorized',
        outcome.reason === 'wrong' ? 'these credentials are wrong' : 'credentials are needed',
      );
    case 'limited':
      throw new LoginLimited(outcome.retryAfterSeconds);
  }
}
