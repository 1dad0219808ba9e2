import { limits, SingleFlight, unlessAborted, type Clock } from '../../base/index.ts';
import { parseChallenges } from '../../oci/index.ts';
import { connectionFailure } from './connection.ts';
import { failureOf, UpstreamError } from './failure.ts';
import { mayHaveCredentials } from './realms.ts';
import { discard, headerOf, type CredentialUse, type Send, type UpstreamAnswer, type UpstreamRequest } from './send.ts';
import { Tokens, type TokenEndpoint } from './tokens.ts';

/** How a registry wants requests to be authenticated, as it last said. */
type Scheme =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic' }
  | { readonly kind: 'bearer'; readonly endpoint: TokenEndpoint };

/** What a request is sent with. */
interface Authorization {
  readonly value: string | undefined;
  readonly use: CredentialUse;
  /** Forgets the token that was sent, since the registry refused it. */
  readonly forget?: () => void;
}

export interface BasicCredentials {
  readonly username: string;
  readonly password: string;
}

export interface OriginAuthOptions {
  readonly send: Send;
  /** Sends requests for challenges and tokens: follows redirects, and adds no credentials of its own. */
  readonly sendForTokens: Send;
  readonly clock: Clock;
  /** The URL that the registry's `v2/` is below. */
  readonly root: URL;
  readonly credentials: BasicCredentials | undefined;
  /** Origins of token endpoints on other domains that may see the credentials. */
  readonly realms: readonly string[];
}

/** Statuses by which registries refuse, or hide what there is. */
const refusals: ReadonlySet<number> = new Set([401, 403, 404]);
const nothing: Scheme = { kind: 'none' };
const anonymous: Authorization = { value: undefined, use: 'none' };

/**
 * Authenticates at one registry, in the steps of the token specification:
 * 1. the challenge is learnt at `/v2/`: with credentials before the first request, without any after the first refusal;
 * 2. the request goes out with what the registry asks for: nothing, Basic, or a bearer token, which is kept;
 * 3. for a bearer token, its endpoint is asked, with our credentials if it may see them, else anonymously;
 * 4. a 401 with another challenge is answered once; a second refusal is the answer.
 */
export class OriginAuth {
  readonly #options: OriginAuthOptions;
  /** Value of the `Authorization` header for Basic; absent without credentials. */
  readonly #basic: string | undefined;
  readonly #tokens: Tokens;
  readonly #learning = new SingleFlight<Scheme>();
  #scheme: Scheme | undefined;
  /** When `/v2/` may be asked again, on the monotonic clock, where it did not say. */
  #learnAgainMs = -Infinity;

  constructor(options: OriginAuthOptions) {
    this.#options = options;
    const { credentials, sendForTokens, clock } = options;
    this.#basic = credentials && `Basic ${encoded(`${credentials.username}:${credentials.password}`)}`;
    this.#tokens = new Tokens({ send: sendForTokens, clock });
  }

  /** Whether the registry has asked for bearer tokens. */
  get asksForTokens(): boolean {
    return this.#scheme?.kind === 'bearer';
  }

  async send(request: UpstreamRequest): Promise<UpstreamAnswer> {
    const scheme = this.#scheme ?? (this.#basic === undefined ? nothing : await this.#learn(request));
    const used = await this.#authorization(scheme, request, repositoryOf(request)).catch((error: unknown) => {
      if (!isOutdated(error) || this.#scheme !== scheme || request.signal?.aborted === true) throw error;
      // The token endpoint may have moved since: the registry says so when it is asked without a token.
      this.#scheme = undefined;
      return anonymous;
    });
    const answer = await this.#sendWith(request, used);
    const asked = refusals.has(answer.status) ? await this.#askedFor(answer, request) : undefined;
    if (asked === undefined) return answer;
    if (asked.kind !== 'bearer' && (this.#basic === undefined || used.value === this.#basic)) return answer;
    await discard(answer);
    used.forget?.();
    this.#scheme = asked;
    const repository = request.isRedirected === true ? scopeOf(answer) : undefined;
    return this.#sendWith(request, await this.#authorization(asked, request, repository ?? repositoryOf(request)));
  }

  /** What a refusal asks for: its own challenge, or that of `/v2/` where it has none and `/v2/` was not asked yet. */
  async #askedFor(answer: UpstreamAnswer, request: UpstreamRequest): Promise<Scheme | undefined> {
    const own = this.#schemeOf(answer);
    if (own !== undefined) return own;
    // A token that has ended early is refused by a 401, which need not repeat what is known.
    if (this.#scheme !== undefined) return answer.status === 401 && this.asksForTokens ? this.#scheme : undefined;
    if (request.isRedirected === true) return undefined;
    try {
      const learnt = await this.#learn(request);
      return learnt.kind === 'none' ? undefined : learnt;
    } catch {
      // The refusal is an answer too.
      return undefined;
    }
  }

  /** Asks `/v2/`, as every client does. Once, however many requests need it. */
  #learn({ repository, signal }: UpstreamRequest): Promise<Scheme> {
    // The answer is for others too: this request may give up on it, but does not end it.
    return unlessAborted(
      this.#learning.run('', () => this.#askBase(repository)),
      signal,
      connectionFailure,
    );
  }

  async #askBase(repository: string): Promise<Scheme> {
    const { clock, root, sendForTokens: send } = this.#options;
    // Credentials are there to be used, also where nothing asks for them.
    const unasked: Scheme = this.#basic === undefined ? nothing : { kind: 'basic' };
    if (clock.monotonic() < this.#learnAgainMs) return unasked;
    this.#learnAgainMs = clock.monotonic() + limits.upstreamChallengeRetryMs;
    try {
      const answer = await send({ method: 'GET', url: new URL('v2/', root), headers: {}, repository });
      if (answer.status === 429) throw await failureOf(answer, clock.now());
      await discard(answer);
      if (answer.status >= 500) return unasked;
      // Where `/v2/` leads elsewhere, what is there gets no credentials, nor does this origin, which may lack https.
      this.#scheme = answer.origin === root.origin ? (this.#schemeOf(answer) ?? unasked) : nothing;
      return this.#scheme;
    } catch (error) {
      // Content may be there although `/v2/` breaks off. Of an upstream that is not there, the request itself will say so.
      if (error instanceof UpstreamError && (error.retryable || error.kind === 'invalid')) return unasked;
      throw error;
    }
  }

  /** Reads the scheme that an answer asks for; undefined when it asks for none that can be answered. */
  #schemeOf(answer: UpstreamAnswer): Scheme | undefined {
    if (answer.status !== 401) return undefined;
    const { root, realms } = this.#options;
    const challenges = parseChallenges(headerOf(answer, 'www-authenticate') ?? '');
    const offersBasic = challenges.some(({ scheme }) => scheme === 'basic');
    for (const { scheme, parameters } of challenges) {
      if (scheme !== 'bearer') continue;
      const realm = URL.parse(parameters.get('realm') ?? '');
      // A registry that is reached by https must not send us over plain http.
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

/** Whether a token could not be had for a reason that may lie in a challenge of long ago. */
function isOutdated(error: unknown): boolean {
  return error instanceof UpstreamError && ['unreachable', 'missing', 'invalid'].includes(error.kind);
}

function encoded(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

/** The repository that a request reads. Where it was redirected, it may have another name than the one that was asked for. */
function repositoryOf({ isRedirected, repository, url }: UpstreamRequest): string | undefined {
  if (isRedirected !== true) return repository;
  return /\/v2\/([A-Za-z0-9._/-]+)\/(?:manifests|blobs|tags)\/[^/]+$/.exec(url.pathname)?.[1];
}

/** The repository that a challenge names. */
function scopeOf(answer: UpstreamAnswer): string | undefined {
  const challenges = parseChallenges(headerOf(answer, 'www-authenticate') ?? '');
  const scope = challenges.find(({ scheme }) => scheme === 'bearer')?.parameters.get('scope');
  return /^repository:([A-Za-z0-9._/-]+):/.exec(scope ?? '')?.[1];
}
