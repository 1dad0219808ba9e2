import { TonnageError, type Clock, type Random } from '../base/index.ts';
import type { MetricSet } from '../metric/index.ts';
import type { Authenticator, Verdict } from './authenticator.ts';
import { parseAuthorization, type Credential } from './authorization.ts';
import { CredentialMemory } from './credential-memory.ts';
import { LoginLimiter } from './login-limiter.ts';
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
}

export type Outcome =
  /** Somebody who has shown who they are. */
  | { readonly kind: 'principal'; readonly principal: Principal }
  /** Nobody in particular; `principal` says what they may do here, and names no organisation. */
  | { readonly kind: 'anonymous'; readonly principal: Principal }
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
  /** In the order in which they are asked. None: see `Door` about loopback listeners. */
  readonly authenticators: readonly Authenticator[];
  /** Tokens that this server itself gives out, asked before the others. That there are some closes no open door. */
  readonly issued?: readonly Authenticator[];
  /** Whether who shows no credentials may pull. */
  readonly anonymousPull: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: MetricSet;
}

function anonymous(granted: readonly Right[]): Outcome {
  return { kind: 'anonymous', principal: Object.freeze({ subject: 'anonymous', rights: new Set(granted) }) };
}

const missing: Outcome = { kind: 'unauthorized', reason: 'missing' };
const wrong: Outcome = { kind: 'unauthorized', reason: 'wrong' };
const anonymousWithAllRights = anonymous(rights);
const anonymousWithPull = anonymous(['pull']);
const busyRetrySeconds = 1;

/**
 * The one place that decides who somebody is:
 *
 * 1. No credentials (or an empty user with an empty password): anonymous, who may pull if that is allowed. Where no
 *    authenticator is configured there is nobody to log in as, so that on a loopback listener a request whose Host is a
 *    loopback name has all rights; on any other listener it may pull, and no more.
 * 2. Credentials that an authenticator knows: that principal.
 * 3. Any other credentials: unauthorized, never anonymous.
 */
export function createDoor(options: DoorOptions): Door {
  return new CheckingDoor(options);
}

class CheckingDoor implements Door {
  readonly #authenticators: readonly Authenticator[];
  readonly #isOpen: boolean;
  readonly #anonymousPull: boolean;
  readonly #memory: CredentialMemory<Outcome>;
  readonly #limiter: LoginLimiter;
  readonly #instruments: IdentityInstruments;
  /** Checks that run, by what stands for their header: requests that come with the same one wait for the same check. */
  readonly #checks = new Map<string, Promise<Verdict | 'busy'>>();

  constructor(options: DoorOptions) {
    this.#authenticators = [...(options.issued ?? []), ...options.authenticators];
    this.#isOpen = options.authenticators.length === 0;
    this.#anonymousPull = options.anonymousPull;
    this.#memory = new CredentialMemory(options.clock, options.random);
    this.#limiter = new LoginLimiter(options.clock);
    this.#instruments = identityInstruments(options.metrics);
  }

  enter(visitor: Visitor): Outcome | Promise<Outcome> {
    const header = visitor.authorization;
    if (header === undefined) return this.#withoutCredentials(visitor);
    // A client shows the token of the challenge with each request: it is found without the price of an HMAC.
    if (/^bearer /i.test(header)) {
      const found = this.#lookUp(parseAuthorization(header));
      if (found !== undefined) return found;
    }
    const key = this.#memory.keyOf(header);
    const remembered = this.#memory.get(key);
    if (remembered !== undefined) return remembered;

    const credential = parseAuthorization(header);
    if (credential === 'none') return this.#withoutCredentials(visitor);
    if (credential === 'malformed') return wrong;
    return this.#lookUp(credential) ?? this.#check(credential, key, visitor.remoteAddress);
  }

  #withoutCredentials(visitor: Visitor): Outcome {
    if (this.#isOpen && visitor.listener === 'loopback' && isLoopbackHost(visitor.host)) {
      return anonymousWithAllRights;
    }
    return this.#anonymousPull ? anonymousWithPull : missing;
  }

  #lookUp(credential: Credential | 'none' | 'malformed'): Outcome | undefined {
    if (typeof credential === 'string') return undefined;
    for (const authenticator of this.#authenticators) {
      const verdict = authenticator.kind === 'lookup' ? authenticator.authenticate(credential) : undefined;
      if (verdict !== undefined) return this.#outcomeOf(verdict);
    }
    return undefined;
  }

  async #check(credential: Credential, key: string, address: string): Promise<Outcome> {
    const attempt = this.#limiter.attempt(address);
    if (typeof attempt === 'number') return this.#counted('limited', { kind: 'limited', retryAfterSeconds: attempt });
    let verdict: Verdict | 'busy';
    try {
      verdict = await this.#shared(credential, key);
    } catch (thrown) {
      attempt.forgive();
      this.#instruments.checks.failed.inc();
      throw thrown;
    }
    if (verdict === undefined) return this.#counted('refused', wrong);
    attempt.forgive();
    if (verdict === 'busy') return this.#counted('limited', { kind: 'limited', retryAfterSeconds: busyRetrySeconds });
    const outcome = this.#outcomeOf(verdict);
    this.#memory.set(key, outcome);
    return this.#counted('accepted', outcome);
  }

  #shared(credential: Credential, key: string): Promise<Verdict | 'busy'> {
    const running = this.#checks.get(key);
    if (running !== undefined) return running;
    const check = this.#ask(credential).finally(() => this.#checks.delete(key));
    this.#checks.set(key, check);
    return check;
  }

  async #ask(credential: Credential): Promise<Verdict | 'busy'> {
    for (const authenticator of this.#authenticators) {
      // One after the other: the next is only asked for what those before it do not know.
      const verdict = authenticator.kind === 'check' ? await authenticator.authenticate(credential) : undefined;
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  }

  #outcomeOf(verdict: Principal | 'anonymous'): Outcome {
    if (verdict !== 'anonymous') return { kind: 'principal', principal: verdict };
    return this.#anonymousPull ? anonymousWithPull : wrong;
  }

  #counted(outcome: CheckOutcome, answer: Outcome): Outcome {
    this.#instruments.checks[outcome].inc();
    return answer;
  }
}

/**
 * Who may go on with `right`. Throws `unauthorized` where credentials are wrong or (other) credentials could help,
 * `forbidden` where they are good but do not give the right, `login_limited` where the client has to wait.
 */
export function requireRight(outcome: Outcome, right: Right): Principal {
  switch (outcome.kind) {
    case 'principal':
      if (outcome.principal.rights.has(right)) return outcome.principal;
      throw new TonnageError('forbidden', `these credentials do not give the right ${right}`);
    case 'anonymous':
      if (outcome.principal.rights.has(right)) return outcome.principal;
      throw new TonnageError('unauthorized', `credentials with the right ${right} are needed`);
    case 'unauthorized':
      throw new TonnageError(
        'unauthorized',
        outcome.reason === 'wrong' ? 'these credentials are wrong' : 'credentials are needed',
      );
    case 'limited':
      throw new TonnageError(
        'login_limited',
        `too many failed logins from this address; the next is taken in ${outcome.retryAfterSeconds} s`,
      );
  }
}
