import { organisationOfEmail } from '../base/index.ts';
import {
  limits,
  messageOf,
  SingleFlight,
  TonnageError,
  Turns,
  type Clock,
  type Log,
  type Random,
} from '../base/index.ts';
import type { Authenticator, CheckVerdict } from './authenticator.ts';
import type { Credential } from './authorization.ts';
import { CredentialMemory } from './credential-memory.ts';
import { fetchJson, isTimeout, memberOf, textOf, type JsonAnswer } from './fetch-json.ts';
import type { PlatformInstruments } from './metrics.ts';
import { outsider } from './outsider.ts';
import type { Principal } from './principal.ts';
import { tokenKindOf } from './token-text.ts';

/**
 * What a token stands for while the Platform does not say. `stale`: what it stood for lately, else anonymous;
 * `anonymous`: nobody in particular; `refuse`: the request fails. Anonymous is only who may be.
 */
type WhenDown = 'stale' | 'anonymous' | 'refuse';

export interface PlatformTokensOptions {
  /** Where the API of the Platform is, without a slash at the end. */
  readonly endpoint: string;
  readonly whenDown: WhenDown;
  /** Whether anybody may pull without credentials. */
  readonly anonymousPull: boolean;
  readonly timeoutMs: number;
  /** How long an answer is taken for good, and how long it may stand in for one that cannot be had. */
  readonly cacheForMs: number;
  readonly staleForMs: number;
  /** Whether this is a user of our own: what they mistype is not shown to the Platform. */
  isUser(name: string): boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly instruments: PlatformInstruments;
  readonly log: Log;
}

/** Access tokens of a Seqera Platform, as Bearer or as the password of Basic under any user name: it says whose they are. */
export function createPlatformTokens(options: PlatformTokensOptions): Extract<Authenticator, { kind: 'check' }> {
  return new PlatformTokens(options);
}

/** RFC 6750 section 2.1. */
const tokenPattern = /^[A-Za-z0-9._~+/-]+=*$/;

interface Known {
  readonly principal: Principal;
  /** Monotonic, in milliseconds. */
  readonly freshUntil: number;
}

class PlatformTokens {
  readonly kind = 'check';
  readonly #options: PlatformTokensOptions;
  readonly #instruments: PlatformInstruments;
  readonly #known: CredentialMemory<Known>;
  /** Kept apart, so that tokens that are made up push out none that are good. */
  readonly #troubles: CredentialMemory<'refused' | 'failed'>;
  readonly #questions = new SingleFlight<CheckVerdict>();
  readonly #turns = new Turns({
    runningMax: limits.platformRequestsMax,
    waitingMax: limits.platformRequestsWaitingMax,
  });
  #isDown = false;
  /** Questions that are under way. */
  #asking = 0;
  #answeredAt = -Infinity;
  /**
   * Until then one question at a time is enough to find out whether it answers again, since for a whole deadline it answered
   * none: more of them would make more clients wait.
   */
  #silentUntil = -Infinity;

  constructor(options: PlatformTokensOptions) {
    this.#options = options;
    this.#instruments = options.instruments;
    this.#known = new CredentialMemory(options.clock, options.random);
    this.#troubles = new CredentialMemory(options.clock, options.random);
  }

  authenticate(credential: Credential, rank?: () => number): Promise<CheckVerdict> | undefined {
    const token = this.#tokenOf(credential);
    if (token === undefined) return undefined;
    const key = this.#known.keyOf(token);
    const known = this.#known.get(key);
    const freshForMs = (known?.freshUntil ?? 0) - this.#options.clock.monotonic();
    if (known !== undefined && freshForMs > 0) {
      return Promise.resolve({ principal: known.principal, goodForMs: freshForMs });
    }
    const trouble = this.#troubles.get(key);
    if (trouble === 'refused') return Promise.resolve(undefined);
    if (trouble === 'failed') return this.#withoutAnswer(key);
    const askedAt = this.#options.clock.monotonic();
    return this.#questions.run(key, () => this.#turns.take(() => this.#askInTime(token, key, askedAt), rank));
  }

  #tokenOf(credential: Credential): string | undefined {
    const token = credential.scheme === 'bearer' ? credential.token : credential.password;
    // Tokens of our own, also those that have ended, are nobody else's business.
    if (!tokenPattern.test(token) || tokenKindOf(token) !== undefined) return undefined;
    const isMistyped =
      credential.scheme === 'basic' &&
      token.length < limits.platformTokenLengthMin &&
      this.#options.isUser(credential.user);
    return isMistyped ? undefined : token;
  }

  /** Nobody waits for the Platform longer than its deadline, however many came before them. */
  #askInTime(token: string, key: string, since: number): Promise<CheckVerdict> {
    const now = this.#options.clock.monotonic();
    const isSilent = now < this.#silentUntil && this.#asking > 0;
    const remainingMs = Math.ceil(this.#options.timeoutMs - (now - since));
    return isSilent || remainingMs <= 0 ? this.#withoutAnswer(key) : this.#ask(token, key, remainingMs);
  }

  async #ask(token: string, key: string, timeoutMs: number): Promise<CheckVerdict> {
    const { cacheForMs, staleForMs, clock } = this.#options;
    let found: Principal | 'refused';
    try {
      found = whoseIs(await this.#answer(token, timeoutMs));
    } catch (error) {
      this.#instruments.answers.failed.inc();
      this.#note(messageOf(error));
      this.#troubles.set(key, 'failed', limits.platformRetryMs);
      return this.#withoutAnswer(key);
    }
    this.#note(undefined);
    if (found === 'refused') {
      this.#instruments.answers.refused.inc();
      this.#known.forget(key);
      this.#troubles.set(key, 'refused', limits.platformRefusalMs);
      return undefined;
    }
    this.#instruments.answers.accepted.inc();
    this.#troubles.forget(key);
    const known = { principal: found, freshUntil: clock.monotonic() + cacheForMs };
    this.#known.set(key, known, cacheForMs + staleForMs);
    return { principal: found, goodForMs: cacheForMs };
  }

  /** What the Platform answers, whatever it is. Rejects when nothing comes. */
  async #answer(token: string, timeoutMs: number): Promise<JsonAnswer> {
    const { endpoint, clock, timeoutMs: deadlineMs } = this.#options;
    this.#asking++;
    try {
      const headers = { Authorization: `Bearer ${token}` };
      const answer = await fetchJson(`${endpoint}/user-info`, { headers, timeoutMs });
      this.#answeredAt = clock.monotonic();
      this.#silentUntil = -Infinity;
      return answer;
    } catch (error) {
      const now = clock.monotonic();
      if (isTimeout(error) && now - this.#answeredAt >= deadlineMs) {
        this.#silentUntil = now + deadlineMs + limits.platformRetryMs;
      }
      throw error;
    } finally {
      this.#asking--;
    }
  }

  async #withoutAnswer(key: string): Promise<CheckVerdict> {
    const { whenDown, anonymousPull } = this.#options;
    const known = whenDown === 'stale' ? this.#known.get(key) : undefined;
    if (known !== undefined) {
      this.#instruments.down.stale.inc();
      // Until it is asked again; so that a door does not go through all authenticators for each request meanwhile.
      return { principal: known.principal, goodForMs: limits.platformRetryMs };
    }
    if (whenDown !== 'refuse' && anonymousPull) {
      this.#instruments.down.anonymous.inc();
      return 'unknown';
    }
    this.#instruments.down.refused.inc();
    throw new TonnageError(
      'identity_unavailable',
      'the Platform that knows whose token this is does not say; try again',
    );
  }

  /** One line when it begins to fail, and one when that is over. */
  #note(failure: string | undefined): void {
    const { log, whenDown } = this.#options;
    if (failure !== undefined && !this.#isDown) {
      log.warn({ error: failure, whenDown }, 'the Seqera Platform does not say whose tokens these are');
    }
    if (failure === undefined && this.#isDown) log.info({}, 'the Seqera Platform answers again');
    this.#isDown = failure !== undefined;
  }
}

/**
 * Reads the answer of `/user-info`: `{"user":{"id","userName","email"}}`. 401, 403 and an answer without a user are
 * refusals. Throws for anything else: it says nothing about the token.
 */
function whoseIs({ status, body }: JsonAnswer): Principal | 'refused' {
  if (status === 401 || status === 403) return 'refused';
  if (status !== 200) throw new Error(`it answered with status ${status}`);
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new Error('its answer is no JSON object');
  const user = memberOf(body, 'user');
  if (user === undefined || user === null) return 'refused';
  const email = textOf(user, 'email');
  const id = memberOf(user, 'id');
  const name = textOf(user, 'userName') ?? (typeof id === 'number' ? `platform-user-${id}` : email);
  if (name === undefined) throw new Error('its answer names no user');
  const org = email === undefined ? undefined : organisationOfEmail(email);
  return outsider({ name, email, org, rights: ['pull', 'query'] });
}
