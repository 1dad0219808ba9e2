import {
  limits,
  messageOf,
  organisationOfEmail,
  SingleFlight,
  TonnageError,
  Turns,
  type Clock,
  type Log,
  type Random,
} from '../base/index.ts';
import type { Authenticator, CheckVerdict } from './authenticator.ts';
import { bearerPattern, type Credential } from './authorization.ts';
import { CredentialCache } from './credential-cache.ts';
import { fetchJson, isTimeout, memberOf, textOf, type JsonAnswer } from './fetch-json.ts';
import type { PlatformInstruments } from './metrics.ts';
import { externalPrincipal } from './external-principal.ts';
import type { Principal } from './principal.ts';
import { tokenKindOf } from './token-text.ts';

/**
 * How to treat a token while the Platform is unavailable. `stale`: use a recent answer, otherwise anonymous. `anonymous`: treat the
 * client as anonymous. `refuse`: the request fails. If anonymous pulls are not allowed, requests fail instead of being anonymous.
 */
type WhenDown = 'stale' | 'anonymous' | 'refuse';

export interface PlatformTokensOptions {
  /** URL of the Platform's API, without a trailing slash. */
  readonly endpoint: string;
  readonly whenDown: WhenDown;
  /** Whether clients without credentials may pull. */
  readonly anonymousPull: boolean;
  readonly timeoutMs: number;
  /** How long an answer is fresh, and for how much longer it may be used while the Platform is unavailable. */
  readonly cacheForMs: number;
  readonly staleForMs: number;
  /** Whether this is a configured user, whose mistyped password must not be sent to the Platform. */
  isUser(name: string): boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly instruments: PlatformInstruments;
  readonly log: Log;
}

/** Authenticates access tokens of a Seqera Platform, sent as Bearer or as the password of Basic with any user name. */
export function createPlatformTokens(options: PlatformTokensOptions): Extract<Authenticator, { kind: 'check' }> {
  return new PlatformTokens(options);
}

interface Known {
  readonly principal: Principal;
  /** Monotonic, in milliseconds. */
  readonly freshUntil: number;
}

class PlatformTokens {
  readonly kind = 'check';
  readonly #options: PlatformTokensOptions;
  readonly #instruments: PlatformInstruments;
  readonly #known: CredentialCache<Known>;
  /** A separate cache, so that invented tokens do not evict valid ones. */
  readonly #failures: CredentialCache<'refused' | 'failed'>;
  readonly #requests = new SingleFlight<CheckVerdict>();
  readonly #turns = new Turns({
    runningMax: limits.platformRequestsMax,
    waitingMax: limits.platformRequestsWaitingMax,
  });
  #isDown = false;
  /** Requests in flight. */
  #inFlight = 0;
  #answeredAt = -Infinity;
  /**
   * Until this time, send one request at a time: the Platform answered none for a whole deadline, and more requests
   * would only make more clients wait.
   */
  #silentUntil = -Infinity;

  constructor(options: PlatformTokensOptions) {
    this.#options = options;
    this.#instruments = options.instruments;
    this.#known = new CredentialCache(options.clock, options.random);
    this.#failures = new CredentialCache(options.clock, options.random);
  }

  authenticate(credential: Credential, rank?: () => number): Promise<CheckVerdict> | undefined {
    const token = this.#tokenOf(credential);
    if (token === undefined) return undefined;
    const key = this.#known.keyOf(token);
    const known = this.#known.get(key);
    const freshForMs = (known?.freshUntil ?? 0) - this.#options.clock.monotonic();
    if (known !== undefined && freshForMs > 0) {
      return Promise.resolve({ principal: known.principal, validForMs: freshForMs });
    }
    const failure = this.#failures.get(key);
    if (failure === 'refused') return Promise.resolve(undefined);
    if (failure === 'failed') return this.#withoutAnswer(key);
    const askedAt = this.#options.clock.monotonic();
    return this.#requests.run(key, () => this.#turns.take(() => this.#requestInTime(token, key, askedAt), rank));
  }

  #tokenOf(credential: Credential): string | undefined {
    const token = credential.scheme === 'bearer' ? credential.token : credential.password;
    // Never send Tonnage's own tokens to the Platform, not even expired ones.
    if (!bearerPattern.test(token) || tokenKindOf(token) !== undefined) return undefined;
    const isMistyped =
      credential.scheme === 'basic' &&
      token.length < limits.platformTokenLengthMin &&
      this.#options.isUser(credential.user);
    return isMistyped ? undefined : token;
  }

  /** Limits the wait to the deadline, including the time in the queue. */
  #requestInTime(token: string, key: string, since: number): Promise<CheckVerdict> {
    const now = this.#options.clock.monotonic();
    const isSilent = now < this.#silentUntil && this.#inFlight > 0;
    const remainingMs = Math.ceil(this.#options.timeoutMs - (now - since));
    return isSilent || remainingMs <= 0 ? this.#withoutAnswer(key) : this.#request(token, key, remainingMs);
  }

  async #request(token: string, key: string, timeoutMs: number): Promise<CheckVerdict> {
    const { cacheForMs, staleForMs, clock } = this.#options;
    let found: Principal | 'refused';
    try {
      found = ownerOf(await this.#answer(token, timeoutMs));
    } catch (error) {
      this.#instruments.answers.failed.inc();
      this.#note(messageOf(error));
      this.#failures.set(key, 'failed', limits.platformRetryMs);
      return this.#withoutAnswer(key);
    }
    this.#note(undefined);
    if (found === 'refused') {
      this.#instruments.answers.refused.inc();
      this.#known.forget(key);
      this.#failures.set(key, 'refused', limits.platformRefusalMs);
      return undefined;
    }
    this.#instruments.answers.accepted.inc();
    this.#failures.forget(key);
    const known = { principal: found, freshUntil: clock.monotonic() + cacheForMs };
    this.#known.set(key, known, cacheForMs + staleForMs);
    return { principal: found, validForMs: cacheForMs };
  }

  /** The Platform's response. Rejects if there is none. */
  async #answer(token: string, timeoutMs: number): Promise<JsonAnswer> {
    const { endpoint, clock, timeoutMs: deadlineMs } = this.#options;
    this.#inFlight++;
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
      this.#inFlight--;
    }
  }

  async #withoutAnswer(key: string): Promise<CheckVerdict> {
    const { whenDown, anonymousPull } = this.#options;
    const known = whenDown === 'stale' ? this.#known.get(key) : undefined;
    if (known !== undefined) {
      this.#instruments.down.stale.inc();
      // Cached until the next request to the Platform, so that requests do not run all authenticators meanwhile.
      return { principal: known.principal, validForMs: limits.platformRetryMs };
    }
    if (whenDown !== 'refuse' && anonymousPull) {
      this.#instruments.down.anonymous.inc();
      return 'unknown';
    }
    this.#instruments.down.refused.inc();
    throw new TonnageError(
      'identity_unavailable',
      'the Seqera Platform is unavailable, so this token cannot be checked; try again',
    );
  }

  /** Logs one line when the Platform becomes unavailable, and one when it is available again. */
  #note(failure: string | undefined): void {
    const { log, whenDown } = this.#options;
    if (failure !== undefined && !this.#isDown) {
      log.warn({ error: failure, whenDown }, 'the Seqera Platform is unavailable, so its tokens cannot be checked');
    }
    if (failure === undefined && this.#isDown) log.info({}, 'the Seqera Platform is available again');
    this.#isDown = failure !== undefined;
  }
}

/**
 * Parses the response of `/user-info`: `{"user":{"id","userName","email"}}`. 401, 403 and a response without a user
 * refuse the token. Throws for any other response, which says nothing about the token.
 */
function ownerOf({ status, body }: JsonAnswer): Principal | 'refused' {
  if (status === 401 || status === 403) return 'refused';
  if (status !== 200) throw new Error(`it responded with status ${status}`);
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Error('its response is not a JSON object');
  const user = memberOf(body, 'user');
  if (user === undefined || user === null) return 'refused';
  const email = textOf(user, 'email');
  const id = memberOf(user, 'id');
  const name = textOf(user, 'userName') ?? (typeof id === 'number' ? `platform-user-${id}` : email);
  if (name === undefined) throw new Error('its response names no user');
  const org = email === undefined ? undefined : organisationOfEmail(email);
  return externalPrincipal({ name, email, org, rights: ['pull', 'query'] });
}
