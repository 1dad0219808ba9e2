import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { Admission, AdmissionScope } from '../gateway/index.ts';
import { requireRight, type Door, type Outcome, type PathTokens, type Visitor } from '../identity/index.ts';
import { OciError } from '../oci/index.ts';
import type { Authorise } from './contract.ts';
import { ownerOf } from './local-socket.ts';

export interface AdmissionOptions {
  readonly door: Door;
  /** Whether the listener is reached from this machine only. */
  readonly listener: Visitor['listener'];
  /** Whether there is anybody to log in as. */
  readonly challenges: () => boolean;
  /** Absent: there are no path tokens. */
  readonly pathTokens?: PathTokens;
  /** Scheme, host and port at which clients find this server. Default: `http://` and the Host of each request. */
  readonly publicUrl?: string;
}

/** Who asks for something on the API, with the right that it takes. */
export function createAuthorise({ door, listener }: AdmissionOptions): Authorise {
  return async (request: FastifyRequest, right) => {
    const owner = ownerOf(request.raw);
    if (owner !== undefined) return owner;
    const { authorization, host } = request.headers;
    const visitor = { authorization, host, remoteAddress: request.ip, listener };
    return requireRight(await door.enter(visitor), right);
  };
}

/**
 * Who asks for something on `/v2`. Clients send credentials only when they are challenged, and they find that out at
 * `/v2/` itself: where there is anybody to log in as, that one always challenges who comes without.
 */
export function createAdmit({ door, listener, challenges, publicUrl, pathTokens }: AdmissionOptions) {
  return (
    headers: IncomingHttpHeaders,
    remoteAddress: string,
    scope: AdmissionScope,
    pathToken?: string,
  ): Admission | Promise<Admission> => {
    // It stands for somebody whatever else the client brings: a client that was challenged sends its answer along.
    if (pathToken !== undefined) return admitByPath(pathTokens, pathToken);
    const { authorization, host } = headers;
    const admission = (outcome: Outcome): Admission =>
      admissionOf(outcome, publicUrl ?? urlOfHost(host), scope === 'base' && challenges());
    const outcome = door.enter({ authorization, host, remoteAddress, listener });
    return outcome instanceof Promise ? outcome.then(admission) : admission(outcome);
  };
}

/** Throws 404, as Wave does, for a token that opens nothing: logging in would not help. */
function admitByPath(pathTokens: PathTokens | undefined, pathToken: string): Admission {
  const principal = pathTokens?.(pathToken);
  if (typeof principal === 'object') return { kind: 'principal', principal };
  const why = principal === 'mistyped' ? 'is mistyped' : 'is unknown, has expired or was revoked';
  throw new OciError('nameUnknown', `the token in the path ${why}`);
}

function admissionOf(outcome: Outcome, url: string, challengeAnonymous: boolean): Admission {
  switch (outcome.kind) {
    case 'principal':
      return outcome;
    case 'anonymous':
      return challengeAnonymous ? { kind: 'refused', challenge: bearerChallenge(url) } : { kind: 'anonymous' };
    case 'unauthorized':
      return { kind: 'refused', challenge: bearerChallenge(url) };
    case 'limited':
      throw tooManyLogins(outcome.retryAfterSeconds);
  }
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
function urlOfHost(host: string | undefined): string {
  return `http://${host !== undefined && /^[\w.:[\]-]{1,261}$/.test(host) ? host : 'localhost'}`;
}
