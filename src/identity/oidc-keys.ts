import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { limits, messageOf, SingleFlight, TonnageError, type Clock, type Log } from '../base/index.ts';
import { fetchJson, memberOf, textOf } from './fetch-json.ts';
import type { OidcInstruments } from './metrics.ts';

export interface OidcKeysOptions {
  readonly issuer: string;
  /** Where its keys are. Absent: its discovery document says. */
  readonly jwksUrl?: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly fetches: OidcInstruments;
}

/**
 * The keys of an issuer (a JWK Set, RFC 7517 section 5), fetched when the first token comes, again when they are old, and
 * when a token names one that is not among them; the last no more often than `limits.oidcRetryMs`, whatever tokens name.
 * While the issuer does not answer, the keys that are there stay good.
 */
export class OidcKeys {
  readonly #options: OidcKeysOptions;
  #keys: JWTVerifyGetKey | undefined;
  #fetchedAt = -Infinity;
  #triedAt = -Infinity;
  #failed = false;
  readonly #fetches = new SingleFlight<void>();

  constructor(options: OidcKeysOptions) {
    this.#options = options;
  }

  /** The key that a token's header names. Rejects with an error of jose, or `identity_unavailable` where nobody can say. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const now = this.#options.clock.monotonic();
    if (now - this.#fetchedAt >= limits.oidcKeysMs) await this.#refresh();
    try {
      return await this.#present()(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    await this.#refresh();
    // A new key may be what could not be fetched.
    if (this.#failed) throw unavailable();
    return this.#present()(header, token);
  };

  #present(): JWTVerifyGetKey {
    if (this.#keys === undefined) throw unavailable();
    return this.#keys;
  }

  /** Fetches the keys, unless that was tried just now. Never rejects: what was there stays. */
  #refresh(): Promise<void> {
    return this.#fetches.run('keys', () => this.#try());
  }

  async #try(): Promise<void> {
    const { issuer, log, fetches, clock } = this.#options;
    const now = clock.monotonic();
    if (now - this.#triedAt < limits.oidcRetryMs) return;
    this.#triedAt = now;
    try {
      this.#keys = await this.#load();
      this.#fetchedAt = clock.monotonic();
      this.#failed = false;
      fetches.fetched.inc();
    } catch (error) {
      this.#failed = true;
      fetches.failed.inc();
      log.warn({ issuer, error: messageOf(error) }, 'the keys of a token issuer could not be fetched');
    }
  }

  async #load(): Promise<JWTVerifyGetKey> {
    const { issuer, jwksUrl } = this.#options;
    const { status, body } = await fetchJson(jwksUrl ?? (await discover(issuer)), {
      timeoutMs: limits.oidcAnswerMsMax,
    });
    if (status !== 200) throw new Error(`its keys were answered with status ${status}`);
    if (!isKeySet(body)) throw new Error('what was answered for its keys is no JWK Set');
    return createLocalJWKSet(body);
  }
}

/** Whether this is a JWK Set; what each key is made of, jose looks at when it is used. */
function isKeySet(body: unknown): body is JSONWebKeySet {
  const keys = memberOf(body, 'keys');
  return Array.isArray(keys) && keys.every((key: unknown) => typeof memberOf(key, 'kty') === 'string');
}

/** Where the keys are, by OpenID Connect Discovery 1.0 section 4; the document has to be of this very issuer. */
async function discover(issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const { status, body } = await fetchJson(url, { timeoutMs: limits.oidcAnswerMsMax });
  if (status !== 200) throw new Error(`its discovery document was answered with status ${status}`);
  if (textOf(body, 'issuer') !== issuer) throw new Error('its discovery document is of another issuer');
  const jwksUrl = URL.parse(textOf(body, 'jwks_uri') ?? '');
  const protocols = issuer.startsWith('https:') ? ['https:'] : ['https:', 'http:'];
  if (jwksUrl === null || !protocols.includes(jwksUrl.protocol)) {
    throw new Error('its discovery document names no place for its keys that could be used');
  }
  return jwksUrl.href;
}

function unavailable(): TonnageError {
  return new TonnageError('identity_unavailable', 'the keys of the issuer of this token cannot be had; try again');
}
