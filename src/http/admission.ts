import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { Admission, AdmissionScope } from '../gateway/index.ts';
import { TonnageError } from '../base/index.ts';
import {
  isLoopbackAddress,
  isLoopbackHost,
  parseAuthorization,
  requireRight,
  type Door,
  type Outcome,
  type PathTokens,
  type Visitor,
} from '../identity/index.ts';
import { OciError } from '../oci/index.ts';
import type { Authorise } from './contract.ts';
import { clientOf, forwardedOf, isForwarded } from './forwarded.ts';
import { ownerOf } from './local-socket.ts';
import { isFromOtherPage, isFromOtherSite, otherSiteRefusal } from './other-sites.ts';

export interface AdmissionOptions {
  readonly door: Door;
  /** Whether the listener is reached from this machine only. */
  readonly listener: Visitor['listener'];
  /** Whether there is anybody to log in as. */
  readonly challenges: () => boolean;
  /** Whether everything is challenged that brings neither credentials nor a token, not only `/v2/`. Default: no. */
  readonly challengesAll?: boolean;
  /** Absent: there are no path tokens. */
  readonly pathTokens?: PathTokens;
  /** Scheme, host and port at which clients find this server. Default: `http://` and the Host of each request. */
  readonly publicUrl?: string;
}

/** Who asks for something on the API, with the right that it takes. */
export function createAuthorise(options: AdmissionOptions): Authorise {
  return async (request: FastifyRequest, right) => {
    const owner = ownerOf(request.raw);
    if (owner !== undefined) return owner;
    const { headers } = request;
    if (isFromOtherSite(headers)) throw new TonnageError('forbidden', otherSiteRefusal);
    return requireRight(await options.door.enter(visitorOf(headers, clientOf(headers, request.ip), options)), right);
  };
}

/**
 * Who asks for something on `/v2`. Clients send credentials only when they are challenged, and they find that out at
 * `/v2/` itself: where there is anybody to log in as, that one always challenges who comes without. Some never ask there:
 * for them there is `challengesAll`.
 */
export function createAdmit(options: AdmissionOptions) {
  const { door, challengesAll = false, publicUrl, pathTokens } = options;
  return (
    headers: IncomingHttpHeaders,
    remoteAddress: string,
    scope: AdmissionScope,
    pathToken?: string,
  ): Admission | Promise<Admission> => {
    if (isFromOtherPage(headers)) throw new OciError('denied', otherSiteRefusal);
    // It stands for somebody whatever else the client brings: a client that was challenged sends its answer along.
    if (pathToken !== undefined) return admitByPath(pathTokens, pathToken);
    const admission = (outcome: Outcome): Admission => {
      const asks = (challengesAll || (scope === 'base' && options.challenges())) && bringsNothing(headers);
      return admissionOf(outcome, asks, () => publicUrl ?? urlOf(headers));
    };
    const outcome = door.enter(visitorOf(headers, remoteAddress, options));
    return outcome instanceof Promise ? outcome.then(admission, refuseUnknown) : admission(outcome);
  };
}

/** Throws 404, as Wave does, for a token that opens nothing: logging in would not help. */
function admitByPath(pathTokens: PathTokens | undefined, pathToken: string): Admission {
  const principal = pathTokens?.(pathToken);
  if (typeof principal === 'object') return { kind: 'principal', principal };
  throw new OciError('nameUnknown', `the token in the path ${whyNobody[principal ?? 'unknown']}`);
}

/** Why a token in a path opens nothing. Of one that is written well nobody is told whether there is such a token. */
const whyNobody = {
  mistyped: 'is mistyped',
  api: 'is written as an API token, which is no path token: make one with tonnage token create --path',
  unknown: 'is unknown, has expired or was revoked',
} as const;

/** What the door looks at. A request that a proxy on this machine forwarded is not a request from this machine. */
export function visitorOf(
  headers: IncomingHttpHeaders,
  remoteAddress: string,
  { listener, publicUrl }: Pick<AdmissionOptions, 'listener' | 'publicUrl'>,
): Visitor {
  const { authorization, host } = headers;
  if (listener === 'open') return { authorization, host, remoteAddress, listener };
  const isElsewhere = comesFromElsewhere(headers, remoteAddress);
  const foreignHost = isForeignHost(host, publicUrl) && !(isElsewhere && forwardedOf(headers) !== undefined);
  return { authorization, host, remoteAddress, listener: isElsewhere ? 'open' : 'loopback', foreignHost };
}

/**
 * Whether a `Host` names neither this machine nor the public URL. Browsers always send the header, so a request without one
 * is not a page's. A page can add any header that proxies write, so those of an untrusted proxy excuse nothing.
 */
function isForeignHost(host: string | undefined, publicUrl: string | undefined): boolean {
  if (host === undefined || isLoopbackHost(host)) return false;
  return publicUrl === undefined || new URL(publicUrl).hostname !== host.toLowerCase().replace(/:\d*$/, '');
}

/** Whether a proxy forwarded a request for a client elsewhere. Only a trusted proxy can say that its client is here. */
function comesFromElsewhere(headers: IncomingHttpHeaders, client: string): boolean {
  if (!isForwarded(headers)) return false;
  return forwardedOf(headers) === undefined || !isLoopbackAddress(client);
}

function bringsNothing({ authorization }: IncomingHttpHeaders): boolean {
  return authorization === undefined || parseAuthorization(authorization) === 'none';
}

/** 503 for credentials that nobody could be asked about, as clients of `/v2` understand it. */
export function refuseUnknown(error: unknown): never {
  if (!(error instanceof TonnageError) || error.code !== 'identity_unavailable') throw error;
  throw new OciError('identityUnavailable', error.message, { 'Retry-After': String(unknownRetrySeconds) });
}

const unknownRetrySeconds = 10;

function admissionOf(outcome: Outcome, challengeAnonymous: boolean, url: () => string): Admission {
  switch (outcome.kind) {
    case 'principal':
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

/** 421, for a client on this machine that uses a name that a page of another site could have given it. */
export function misdirected(): OciError {
  return new OciError(
    'misdirected',
    'expected a loopback name such as localhost as the Host; for another name set publicUrl, or add users',
  );
}

/** 429 with the time to wait, as clients of `/v2` understand it. */
export function tooManyLogins(retryAfterSeconds: number): OciError {
  const headers = { 'Retry-After': String(retryAfterSeconds) };
  return new OciError('upstreamThrottled', 'too many failed logins from this address; try again later', headers);
}

/** The challenge of the distribution API's token authentication. */
function bearerChallenge(url: string): string {
  return `Bearer realm="${url}/v2/token",service="tonnage"`;
}

/** This server as the client called it; what could break out of the header's quotes is not repeated. */
function urlOf(headers: IncomingHttpHeaders): string {
  const { scheme = 'http', host = headers.host } = forwardedOf(headers) ?? {};
  return `${scheme}://${host !== undefined && /^[\w.:[\]-]{1,261}$/.test(host) ? host : 'localhost'}`;
}
