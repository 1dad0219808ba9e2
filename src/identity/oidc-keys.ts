import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { limits, messageOf, SingleFlight, TonnageError, type Clock, type Log } from '../base/index.ts';
import { fetchJson, memberOf, textOf } from './fetch-json.ts';
import type { OidcInstruments } from './metrics.ts';

interface OidcKeysOptions {
  readonly issuer: string;
  /** URL of its keys. Default: from its discovery document. */
  readonly jwksUrl?: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly fetches: OidcInstruments;
}

/**
 * The keys of an issuer (a JWK Set, RFC 7517 section 5). Fetches them for the first token, when they are old, and when a token names
 * an unknown key, but at most once per `limits.oidcRetryMs`. While the issuer is unavailable, known keys remain valid.
 *
 * Our own: `createRemoteJWKSet` of jose rejects all tokens once its keys are old and the issuer is unavailable.
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

  /** The key that a token's header names. Rejects with an error of jose, or with `identity_unavailable` without current keys. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const now = this.#options.clock.monotonic();
    if (now - this.#fetchedAt >= limits.oidcKeysMs) await this.#refresh();
    try {
      return await this.#present()(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    await this.#refresh();
    // The failed fetch might have returned this key.
    if (this.#failed) throw unavailable();
    return this.#present()(header, token);
  };

  #present(): JWTVerifyGetKey {
    if (this.#keys === undefined) throw unavailable();
    return this.#keys;
  }

  /** Fetches the keys, unless a recent attempt was made. Never rejects; on failure the known keys remain. */
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
      log.warn({ issuer, error: messageOf(error) }, 'fetching the keys of a token issuer failed');
    }
  }

  async #load(): Promise<JWTVerifyGetKey> {
    const { issuer, jwksUrl } = this.#options;
    const { status, body } = await fetchJson(jwksUrl ?? (await discover(issuer)), {
      timeoutMs: limits.oidcAnswerMsMax,
    });
    if (status !== 200) throw new Error(`the response with its keys has status ${status}`);
    if (!isKeySet(body)) throw new Error('the response with its keys is not a JWK Set');
    return createLocalJWKSet(body);
  }
}

/** Whether this is a JWK Set. jose checks each key when it is used. */
function isKeySet(body: unknown): body is JSONWebKeySet {
  const keys = memberOf(body, 'keys');
  return Array.isArray(keys) && keys.every((key: unknown) => typeof memberOf(key, 'kty') === 'string');
}

/** The URL of the keys, by OpenID Connect Discovery 1.0 section 4. The document must state the same issuer. */
async function discover(issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const { status, body } = await fetchJson(url, { timeoutMs: limits.oidcAnswerMsMax });
  if (status !== 200) throw new Error(`its discovery document has status ${status}`);
  if (textOf(body, 'issuer') !== issuer) throw new Error('its discovery document is that of another issuer');
  const jwksUrl = URL.parse(textOf(body, 'jwks_uri') ?? '');
  const protocols = issuer.startsWith('https:') ? ['https:'] : ['https:', 'http:'];
  if (jwksUrl === null || !protocols.includes(jwksUrl.protocol)) {
    throw new Error('its discovery document has no usable jwks_uri');
  }
  return jwksUrl.href;
}

function unavailable(): TonnageError {
  return new TonnageError('identity_unavailable', 'the keys of the issuer of this token are unavailable; try again');
}
