import { limits, Lru, SingleFlight, type Clock } from '../../base/index.ts';
import { parseJsonObject } from '../../oci/index.ts';
import { connectionFailure } from './connection.ts';
import { failureOf, UpstreamError } from './failure.ts';
import { readBody, type CredentialUse, type Send, type UpstreamAnswer } from './send.ts';

/** An upstream's token endpoint, from its challenge. */
export interface TokenEndpoint {
  readonly realm: URL;
  readonly service: string | undefined;
  /** Value of the `Authorization` header of token requests; undefined for anonymous ones. */
  readonly authorization: string | undefined;
  readonly use: CredentialUse;
}

interface Token {
  readonly text: string;
  readonly usableUntilMs: number;
}

/** Default lifetime of a token in the token specification. */
const lifetimeSecondsDefault = 60;

/** Tokens are sent in a header, so only visible ASCII characters are valid. */
function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value);
}

/** Parses a token response: `token`, or `access_token` as in OAuth 2, and `expires_in` in seconds. */
async function tokenIn(answer: UpstreamAnswer, clock: Clock): Promise<Token> {
  const body = await readBody(answer, limits.upstreamTokenBytesMax).catch((thrown: unknown) => {
    throw connectionFailure(thrown);
  });
  const members = body === null ? null : parseJsonObject(body);
  // Some endpoints send both members, one of them empty.
  const text = [members?.token, members?.access_token].find(isToken);
  if (text === undefined) throw new UpstreamError('invalid', 'sent a token response without a token');
  const seconds = members?.expires_in;
  const lifetimeMs = 1_000 * (typeof seconds === 'number' && seconds > 0 ? seconds : lifetimeSecondsDefault);
  const marginMs = Math.min(limits.upstreamTokenMarginMs, lifetimeMs / 2);
  return { text, usableUntilMs: clock.monotonic() + lifetimeMs - marginMs };
}

/** The bearer tokens of one registry, one per repository. They are cached until shortly before they expire. */
export class Tokens {
  readonly #send: Send;
  readonly #clock: Clock;
  readonly #kept = new Lru<Token>(limits.upstreamRepositoriesMax);
  readonly #flights = new SingleFlight<string>();

  constructor(options: { readonly send: Send; readonly clock: Clock }) {
    this.#send = options.send;
    this.#clock = options.clock;
  }

  /** Returns a token for pulling from the repository. Concurrent calls share one request. Rejects with `UpstreamError`. */
  async get(endpoint: TokenEndpoint, repository: string): Promise<string> {
    const key = keyOf(endpoint, repository);
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.usableUntilMs > this.#clock.monotonic()) return kept.text;
    return this.#flights.run(key, () => this.#fetch(endpoint, repository));
  }

  /** Forgets a rejected token, unless a newer one has replaced it. */
  forget(endpoint: TokenEndpoint, repository: string, text: string): void {
    const key = keyOf(endpoint, repository);
    if (this.#kept.get(key)?.text === text) this.#kept.delete(key);
  }

  async #fetch(endpoint: TokenEndpoint, repository: string): Promise<string> {
    const url = new URL(endpoint.realm);
    if (endpoint.service !== undefined) url.searchParams.set('service', endpoint.service);
    // Request read access to this repository only, whatever scope the challenge proposes.
    url.searchParams.set('scope', `repository:${repository}:pull`);
    const headers: Record<string, string> = { accept: 'application/json' };
    if (endpoint.authorization !== undefined) headers.authorization = endpoint.authorization;
    const answer = await this.#send({ method: 'GET', url, headers, repository });
    if (answer.status !== 200) throw await failureOf({ ...answer, credentials: endpoint.use }, this.#clock.now());
    const token = await tokenIn(answer, this.#clock);
    this.#kept.set(keyOf(endpoint, repository), token);
    return token.text;
  }
}

/** Unambiguous, because names of repositories contain no spaces. */
function keyOf({ realm, service }: TokenEndpoint, repository: string): string {
  return `${repository} ${realm.href} ${service ?? ''}`;
}
