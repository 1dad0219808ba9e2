import { limits, SingleFlight, unlessAborted, type Clock } from '../../base/index.ts';
import { parseChallenges } from '../../oci/index.ts';
import { connectionFailure } from './connection.ts';
import { failureOf, UpstreamError } from './failure.ts';
import { mayHaveCredentials } from './realms.ts';
import { discard, headerOf, type CredentialUse, type Send, type UpstreamAnswer, type UpstreamRequest } from './send.ts';
import { Tokens, type TokenEndpoint } from './tokens.ts';

/** The authentication scheme that a registry last asked for. */
type Scheme =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic' }
  | { readonly kind: 'bearer'; readonly endpoint: TokenEndpoint };

/** The `Authorization` header of a request. */
interface Authorization {
  readonly value: string | undefined;
  readonly use: CredentialUse;
  /** Forgets the token after the registry rejected it. */
  readonly forget?: () => void;
}

export interface BasicCredentials {
  readonly username: string;
  readonly password: string;
}

export interface OriginAuthOptions {
  readonly send: Send;
  /** Sends requests for challenges and tokens: follows redirects and adds no credentials. */
  readonly sendForTokens: Send;
  readonly clock: Clock;
  /** The URL below which the registry's `v2/` is. */
  readonly root: URL;
  readonly credentials: BasicCredentials | undefined;
  /** Origins of token endpoints on other domains that may receive the credentials. */
  readonly realms: readonly string[];
}

/** Statuses with which registries reject a request or hide that content exists. */
const deniedStatuses: ReadonlySet<number> = new Set([401, 403, 404]);
const noScheme: Scheme = { kind: 'none' };
const anonymous: Authorization = { value: undefined, use: 'none' };

/**
 * Authenticates at one registry, in the steps of the token specification:
 * 1. Learn the challenge at `/v2/`: before the first request if there are credentials, otherwise after the first rejection.
 * 2. Send the request with what the registry asked for: nothing, Basic, or a cached bearer token.
 * 3. Fetch a bearer token from its endpoint, with the credentials if it may receive them, otherwise anonymously.
 * 4. Answer a rejection with a new challenge once. A second rejection is the result.
 */
export class OriginAuth {
  readonly #options: OriginAuthOptions;
  /** Value of the `Authorization` header for Basic; absent without credentials. */
  readonly #basic: string | undefined;
  readonly #tokens: Tokens;
  readonly #learning = new SingleFlight<Scheme>();
  #scheme: Scheme | undefined;
  /** When `/v2/` may be requested again after it gave no challenge, on the monotonic clock. */
  #learnAgainMs = -Infinity;

  constructor(options: OriginAuthOptions) {
    this.#options = options;
    const { credentials, sendForTokens, clock } = options;
    this.#basic = credentials && `Basic ${encoded(`${credentials.username}:${credentials.password}`)}`;
    this.#tokens = new Tokens({ send: sendForTokens, clock });
  }

  /** Whether the registry asked for bearer tokens. */
  get asksForTokens(): boolean {
    return this.#scheme?.kind === 'bearer';
  }

  async send(request: UpstreamRequest): Promise<UpstreamAnswer> {
    const scheme = this.#scheme ?? (this.#basic === undefined ? noScheme : await this.#learn(request));
    const used = await this.#authorization(scheme, request, repositoryOf(request)).catch((error: unknown) => {
      if (!isOutdated(error) || this.#scheme !== scheme || request.signal?.aborted === true) throw error;
      // The token endpoint may have moved: a request without a token yields the current challenge.
      this.#scheme = undefined;
      return anonymous;
    });
    const answer = await this.#sendWith(request, used);
    const wanted = deniedStatuses.has(answer.status) ? await this.#wantedScheme(answer, request) : undefined;
    if (wanted === undefined) return answer;
    if (wanted.kind !== 'bearer' && (this.#basic === undefined || used.value === this.#basic)) return answer;
    await discard(answer);
    used.forget?.();
    this.#scheme = wanted;
    const repository = request.isRedirected === true ? scopeOf(answer) : undefined;
    return this.#sendWith(request, await this.#authorization(wanted, request, repository ?? repositoryOf(request)));
  }

  /** The scheme that a rejection asks for: its own challenge, or that of `/v2/` if it has none. */
  async #wantedScheme(answer: UpstreamAnswer, request: UpstreamRequest): Promise<Scheme | undefined> {
    const own = this.#schemeOf(answer);
    if (own !== undefined) return own;
    // An expired token is rejected with 401, which may omit the known challenge.
    if (this.#scheme !== undefined) return answer.status === 401 && this.asksForTokens ? this.#scheme : undefined;
    if (request.isRedirected === true) return undefined;
    try {
      const learnt = await this.#learn(request);
      return learnt.kind === 'none' ? undefined : learnt;
    } catch {
      // Return the rejection itself.
      return undefined;
    }
  }

  /** Requests the challenge at `/v2/`, once for all concurrent requests. */
  #learn({ repository, signal }: UpstreamRequest): Promise<Scheme> {
    // Other requests may share this one, so the signal stops the wait and not the request.
    return unlessAborted(
      this.#learning.run('', () => this.#requestBase(repository)),
      signal,
      connectionFailure,
    );
  }

  async #requestBase(repository: string): Promise<Scheme> {
    const { clock, root, sendForTokens: send } = this.#options;
    // Use configured credentials even if there is no challenge.
    const byDefault: Scheme = this.#basic === undefined ? noScheme : { kind: 'basic' };
    if (clock.monotonic() < this.#learnAgainMs) return byDefault;
    this.#learnAgainMs = clock.monotonic() + limits.upstreamChallengeRetryMs;
    try {
      const answer = await send({ method: 'GET', url: new URL('v2/', root), headers: {}, repository });
      if (answer.status === 429) throw await failureOf(answer, clock.now());
      await discard(answer);
      if (answer.status >= 500) return byDefault;
      // If `/v2/` redirects to another origin, neither origin gets credentials: this one may lack https.
      this.#scheme = answer.origin === root.origin ? (this.#schemeOf(answer) ?? byDefault) : noScheme;
      return this.#scheme;
    } catch (error) {
      // Content may be available although `/v2/` fails. If the upstream is down, the request itself fails too.
      if (error instanceof UpstreamError && (error.retryable || error.kind === 'invalid')) return byDefault;
      throw error;
    }
  }

  /** The scheme that a response asks for; undefined if it asks for none, or only for unsupported ones. */
  #schemeOf(answer: UpstreamAnswer): Scheme | undefined {
    if (answer.status !== 401) return undefined;
    const { root, realms } = this.#options;
    const challenges = parseChallenges(headerOf(answer, 'www-authenticate') ?? '');
    const offersBasic = challenges.some(({ scheme }) => scheme === 'basic');
    for (const { scheme, parameters } of challenges) {
      if (scheme !== 'bearer') continue;
      const realm = URL.parse(parameters.get('realm') ?? '');
      // A registry with https must not send the gateway to plain http.
      if (realm === null || (realm.protocol !== 'https:' && realm.protocol !== 'http:')) continue;
      if (root.protocol === 'https:' && realm.protocol === 'http:') continue;
      const isTrusted = this.#basic !== undefined && mayHaveCredentials(realm, root, realms);
      if (!isTrusted && this.#basic !== undefined && offersBasic) continue;
      const use = this.#basic === undefined ? 'none' : isTrusted ? 'sent' : 'withheld';
      const authorization = isTrusted ? this.#basic : undefined;
      return { kind: 'bearer', endpoint: { realm, service: parameters.get('service'), authorization, use } };
    }
    return offersBasic ? { kind: 'basic' } : undefined;
  }

  async #authorization(scheme: Scheme, request: UpstreamRequest, repository?: string): Promise<Authorization> {
    if (scheme.kind === 'basic' && this.#basic !== undefined) return { value: this.#basic, use: 'sent' };
    if (scheme.kind !== 'bearer' || repository === undefined) return anonymous;
    const { endpoint } = scheme;
    const token = await unlessAborted(this.#tokens.get(endpoint, repository), request.signal, connectionFailure);
    return {
      value: `Bearer ${token}`,
      use: endpoint.use,
      forget: () => this.#tokens.forget(endpoint, repository, token),
    };
  }

  async #sendWith(request: UpstreamRequest, { value, use }: Authorization): Promise<UpstreamAnswer> {
    const headers = value === undefined ? request.headers : { ...request.headers, authorization: value };
    const answer = await this.#options.send({ ...request, headers });
    return use === 'none' ? answer : { ...answer, credentials: use };
  }
}

/** Whether a token request may have failed because the stored challenge is outdated. */
function isOutdated(error: unknown): boolean {
  return error instanceof UpstreamError && ['unreachable', 'missing', 'invalid'].includes(error.kind);
}

function encoded(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

/** The repository of a request. A redirect target may use another name for it. */
function repositoryOf({ isRedirected, repository, url }: UpstreamRequest): string | undefined {
  if (isRedirected !== true) return repository;
  return /\/v2\/([A-Za-z0-9._/-]+)\/(?:manifests|blobs|tags)\/[^/]+$/.exec(url.pathname)?.[1];
}

/** The repository in the scope of a challenge. */
function scopeOf(answer: UpstreamAnswer): string | undefined {
  const challenges = parseChallenges(headerOf(answer, 'www-authenticate') ?? '');
  const scope = challenges.find(({ scheme }) => scheme === 'bearer')?.parameters.get('scope');
  return /^repository:([A-Za-z0-9._/-]+):/.exec(scope ?? '')?.[1];
}
