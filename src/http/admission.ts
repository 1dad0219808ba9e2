import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { Admission, AdmissionScope } from '../gateway/index.ts';
import { requireRight, type Door, type Outcome, type Visitor } from '../identity/index.ts';
import { OciError } from '../oci/index.ts';
import type { Authorise } from './contract.ts';

export interface AdmissionOptions {
  readonly door: Door;
  /** Whether the listener is reached from this machine only. */
  readonly listener: Visitor['listener'];
  /** Whether there is anybody to log in as. */
  readonly challenges: boolean;
  /** Scheme, host and port at which clients find this server. Default: `http://` and the Host of each request. */
  readonly publicUrl?: string;
}

/** Who asks for something on the API, with the right that it takes. */
export function createAuthorise({ door, listener }: AdmissionOptions): Authorise {
  return async (request: FastifyRequest, right) => {
    const { authorization, host } = request.headers;
    const visitor = { authorization, host, remoteAddress: request.ip, listener };
    return requireRight(await door.enter(visitor), right);
  };
}

/**
 * Who asks for something on `/v2`. Clients send credentials only when they are challenged, and they find that out at
 * `/v2/` itself: where there is anybody to log in as, that one always challenges who comes without.
 */
export function createAdmit({ door, listener, challenges, publicUrl }: AdmissionOptions) {
  return (
    headers: IncomingHttpHeaders,
    remoteAddress: string,
    scope: AdmissionScope,
  ): Admission | Promise<Admission> => {
    const { authorization, host } = headers;
    const admission = (outcome: Outcome): Admission =>
      admissionOf(outcome, publicUrl ?? urlOfHost(host), challenges && scope === 'base');
    const outcome = door.enter({ authorization, host, remoteAddress, listener });
    return outcome instanceof Promise ? outcome.then(admission) : admission(outcome);
  };
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
