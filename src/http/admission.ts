import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { Admission, AdmissionScope } from '../gateway/index.ts';
import { TonnageError } from '../base/index.ts';
import {
  debusinePagesOnly,
  isLoopbackAddress,
  isLoopbackHost,
  parseAuthorization,
  requireRight,
  type Authentication,
  type Outcome,
  type PathTokens,
  type Principal,
  type AuthRequest,
} from '../identity/index.ts';
import { OciError } from '../oci/index.ts';
import type { Authorise, AuthorisePage } from './contract.ts';
import { clientOf, forwardedOf, isForwarded } from './forwarded.ts';
import { ownerOf } from './local-socket.ts';
import { isFromOtherPage, isFromOtherSite, otherSiteMessage } from './other-sites.ts';

export interface AdmissionOptions {
  readonly authentication: Authentication;
  /** `loopback` if only this machine can reach the listener. */
  readonly listener: AuthRequest['listener'];
  /** Whether there are users, so that a challenge makes sense. */
  readonly challenges: () => boolean;
  /** Whether to challenge every request without credentials, not only those for `/v2/`. Default: false. */
  readonly challengesAll?: boolean;
  /** Absent: path tokens are disabled. */
  readonly pathTokens?: PathTokens;
  /** Scheme, host and port that clients use. Default: `http://` and the Host header of each request. */
  readonly publicUrl?: string;
}

/** Creates the authorisation of API requests. */
export function createAuthorise(options: AdmissionOptions): Authorise {
  return async (request, right) => {
    const owner = ownerOf(request.raw);
    if (owner !== undefined) return owner;
    if (isFromOtherSite(request.headers)) throw new TonnageError('forbidden', otherSiteMessage);
    return requireRight(await outcomeOf(request, options), right);
  };
}

/** Creates the authorisation of requests for pages. */
export function createAuthorisePage(options: AdmissionOptions): AuthorisePage {
  return async (request, access) => {
    const owner = ownerOf(request.raw);
    if (owner !== undefined) return owner;
    if (access === 'required' && isFromOtherSite(request.headers)) {
      throw new TonnageError('forbidden', otherSiteMessage);
    }
    const outcome = await outcomeOf(request, options);
    if (outcome.kind === 'principal' && outcome.principal.debusineScope !== undefined) return outcome.principal;
    if (access === 'required' || isRejected(outcome)) return requireRight(outcome, 'query');
    return 'principal' in outcome ? outcome.principal : undefined;
  };
}

/** Whether credentials are wrong or cannot be checked now, as opposed to missing. */
function isRejected(outcome: Outcome): boolean {
  return outcome.kind === 'limited' || (outcome.kind === 'unauthorized' && outcome.reason === 'wrong');
}

/** Creates the authorisation of scrapes that need credentials with the right query, by the rules of API requests. */
export function createAuthoriseScrape(
  options: AdmissionOptions & { readonly readForwarded: (request: IncomingMessage) => void },
): (request: IncomingMessage) => Promise<Principal> {
  return async (request) => {
    options.readForwarded(request);
    const { headers, socket } = request;
    if (isFromOtherSite(headers)) throw new TonnageError('forbidden', otherSiteMessage);
    return requireRight(await outcomeOf({ headers, ip: socket.remoteAddress ?? '' }, options), 'query');
  };
}

async function outcomeOf(
  { headers, ip }: Pick<FastifyRequest, 'headers' | 'ip'>,
  options: AdmissionOptions,
): Promise<Outcome> {
  return options.authentication.authenticate(authRequestOf(headers, clientOf(headers, ip), options));
}

/**
 * Creates the authentication of `/v2` requests. Clients send credentials only after a challenge, and most look for it
 * at `/v2/`. That route therefore challenges every request without credentials if there are users. For clients that
 * never request `/v2/` there is `challengesAll`. Throws an `OciError` for a request that cannot be admitted.
 */
export function createAdmit(options: AdmissionOptions) {
  const { authentication, challengesAll = false, publicUrl, pathTokens } = options;
  return (
    headers: IncomingHttpHeaders,
    remoteAddress: string,
    scope: AdmissionScope,
    pathToken?: string,
  ): Admission | Promise<Admission> => {
    if (isFromOtherPage(headers)) throw new OciError('denied', otherSiteMessage);
    // A path token overrides the Authorization header, which a challenged client also sends.
    if (pathToken !== undefined) return admitByPath(pathTokens, pathToken);
    const admission = (outcome: Outcome): Admission => {
      const challenge = (challengesAll || (scope === 'base' && options.challenges())) && hasNoCredentials(headers);
      return admissionOf(outcome, challenge, () => publicUrl ?? urlOf(headers));
    };
    const outcome = authentication.authenticate(authRequestOf(headers, remoteAddress, options));
    return outcome instanceof Promise ? outcome.then(admission, throwIdentityUnavailable) : admission(outcome);
  };
}

/** Throws 404 for an invalid token, as Wave does, because logging in would not help. */
function admitByPath(pathTokens: PathTokens | undefined, pathToken: string): Admission {
  const principal = pathTokens?.(pathToken);
  if (typeof principal === 'object') return { kind: 'principal', principal };
  throw new OciError('nameUnknown', `the token in the path ${invalidToken[principal ?? 'unknown']}`);
}

/** Why a path token is invalid. For a well-formed token, the message does not reveal whether it ever existed. */
const invalidToken = {
  mistyped: 'is mistyped',
  api: 'is an API token, not a path token: create one with tonnage token create --path',
  unknown: 'is unknown, has expired or was revoked',
} as const;

/** Returns the input of authentication. A request that a proxy on this machine forwarded is not from this machine. */
export function authRequestOf(
  headers: IncomingHttpHeaders,
  remoteAddress: string,
  { listener, publicUrl }: Pick<AdmissionOptions, 'listener' | 'publicUrl'>,
): AuthRequest {
  const { authorization, host } = headers;
  if (listener === 'open') return { authorization, host, remoteAddress, listener };
  const isRemote = isFromElsewhere(headers, remoteAddress);
  const foreignHost = isForeignHost(host, publicUrl) && !(isRemote && forwardedOf(headers) !== undefined);
  return { authorization, host, remoteAddress, listener: isRemote ? 'open' : 'loopback', foreignHost };
}

/**
 * Whether the Host header names neither this machine nor the public URL. Browsers always send it, so a request without
 * it does not come from a web page. A page can send any proxy header, so an untrusted proxy's headers are no exemption.
 */
function isForeignHost(host: string | undefined, publicUrl: string | undefined): boolean {
  if (host === undefined || isLoopbackHost(host)) return false;
  return publicUrl === undefined || new URL(publicUrl).hostname !== host.toLowerCase().replace(/:\d*$/, '');
}

/** Whether a proxy forwarded the request of a remote client. Only a trusted proxy can vouch for a local client. */
function isFromElsewhere(headers: IncomingHttpHeaders, client: string): boolean {
  if (!isForwarded(headers)) return false;
  return forwardedOf(headers) === undefined || !isLoopbackAddress(client);
}

function hasNoCredentials({ authorization }: IncomingHttpHeaders): boolean {
  return authorization === undefined || parseAuthorization(authorization) === 'none';
}

/** Throws `identity_unavailable` as a 503 `OciError`, and any other error unchanged. */
export function throwIdentityUnavailable(error: unknown): never {
  if (!(error instanceof TonnageError) || error.code !== 'identity_unavailable') throw error;
  throw new OciError('identityUnavailable', error.message, { 'Retry-After': '10' });
}

function admissionOf(outcome: Outcome, challengeAnonymous: boolean, url: () => string): Admission {
  switch (outcome.kind) {
    case 'principal':
      assertMayPull(outcome.principal);
      return outcome;
    case 'anonymous':
      if (challengeAnonymous) return { kind: 'refused', challenge: bearerChallenge(url()) };
      return outcome.byAddress ? { kind: 'principal', principal: outcome.byAddress } : { kind: 'anonymous' };
    case 'misdirected':
      throw misdirected();
    case 'unauthorized':
      return { kind: 'refused', challenge: bearerChallenge(url()) };
    case 'limited':
      throw tooManyLogins(outcome.retryAfterSeconds);
  }
}

/** Throws 403 for a token that opens only the pages of Debusine sources. */
export function assertMayPull({ debusineScope }: Principal): void {
  if (debusineScope !== undefined) throw new OciError('denied', debusinePagesOnly);
}

/** 421: a web page of another site may have sent this request through a browser on this machine (DNS rebinding). */
export function misdirected(): OciError {
  return new OciError(
    'misdirected',
    'expected a loopback name such as localhost in the Host header; to use another name, set publicUrl or add users',
  );
}

/** 429 with `Retry-After`. */
export function tooManyLogins(retryAfterSeconds: number): OciError {
  const headers = { 'Retry-After': String(retryAfterSeconds) };
  return new OciError('upstreamThrottled', 'too many failed logins from this address; try again later', headers);
}

/** The Bearer challenge of the distribution API's token authentication. */
function bearerChallenge(url: string): string {
  return `Bearer realm="${url}/v2/token",service="tonnage"`;
}

/** The URL that the client used. A host that could break out of the challenge's quotes is replaced. */
function urlOf(headers: IncomingHttpHeaders): string {
  const { scheme = 'http', host = headers.host } = forwardedOf(headers) ?? {};
  return `${scheme}://${host !== undefined && /^[\w.:[\]-]{1,261}$/.test(host) ? host : 'localhost'}`;
}
