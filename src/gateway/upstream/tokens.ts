import { limits, Lru, SingleFlight, type Clock } from '../../base/index.ts';
import { parseJsonObject } from '../../oci/index.ts';
import { connectionFailure } from './connection.ts';
import { failureOf, UpstreamError } from './failure.ts';
import { readBody, type CredentialUse, type Send, type UpstreamAnswer } from './send.ts';

/** Where an upstream hands out its tokens, as its challenge said. */
export interface TokenEndpoint {
  readonly realm: URL;
  readonly service: string | undefined;
  /** Value of the `Authorization` header that it gets; undefined: it is asked anonymously. */
  readonly authorization: string | undefined;
  readonly use: CredentialUse;
}

interface Token {
  readonly text: string;
  readonly usableUntilMs: number;
}

/** How long a token lasts whose answer does not say, in seconds (the token specification's default). */
const lifetimeSecondsDefault = 60;

/** Whether a value is a token: anything but visible characters could not be sent in a header, or would end it. */
function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value);
}

/** Reads a token endpoint's answer: `token`, or `access_token` as OAuth 2 calls it, and `expires_in` in seconds. */
async function tokenIn(answer: UpstreamAnswer, clock: Clock): Promise<Token> {
  const body = await readBody(answer, limits.upstreamTokenBytesMax).catch((thrown: unknown) => {
    throw connectionFailure(thrown);
  });
  const members = body === null ? null : parseJsonObject(body);
  // Some endpoints send both names, and leave one of them empty.
  const text = [members?.token, members?.access_token].find(isToken);
  if (text === undefined) {
    throw new UpstreamError('invalid', 'gave no token where it promised one');
  }
  const seconds = members?.expires_in;
  const lifetimeMs = 1_000 * (typeof seconds === 'number' && seconds > 0 ? seconds : lifetimeSecondsDefault);
  const marginMs = Math.min(limits.upstreamTokenMarginMs, lifetimeMs / 2);
  return { text, usableUntilMs: clock.monotonic() + lifetimeMs - marginMs };
}

/** The bearer tokens of one registry, one for each repository: fetched once however many ask, kept until shortly before their end. */
export class Tokens {
  readonly #send: Send;
  readonly #clock: Clock;
  readonly #kept = new Lru<Token>(limits.upstreamRepositoriesMax);
  readonly #flights = new SingleFlight<string>();

  constructor(options: { readonly send: Send; readonly clock: Clock }) {
    this.#send = options.send;
    this.#clock = options.clock;
  }

  /** A token that allows to pull the repository. Rejects with `UpstreamError` when none is given. */
  async get(endpoint: TokenEndpoint, repository: string): Promise<string> {
    const key = keyOf(endpoint, repository);
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.usableUntilMs > this.#clock.monotonic()) return kept.text;
    return this.#flights.run(key, () => this.#fetch(endpoint, repository));
  }

  /** Forgets a token that was refused, unless another has taken its place already. */
  forget(endpoint: TokenEndpoint, repository: string, text: string): void {
    const key = keyOf(endpoint, repository);
    if (this.#kept.get(key)?.text === text) this.#kept.delete(key);
  }

  async #fetch(endpoint: TokenEndpoint, repository: string): Promise<string> {
    const url = new URL(endpoint.realm);
    if (endpoint.service !== undefined) url.searchParams.set('service', endpoint.service);
    // We never ask for more than reading this one repository, whatever the challenge proposes.
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

/** Names of repositories have no blanks. */
function keyOf({ realm, service }: TokenEndpoint, repository: string): string {
  return `${repository} ${realm.href} ${service ?? ''}`;
}
