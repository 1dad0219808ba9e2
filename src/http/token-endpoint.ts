import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf, type Clock, type Log } from '../base/index.ts';
import type { Door, Outcome, PathTokens, Principal, PullTokens, Visitor } from '../identity/index.ts';
import { answerHeaders, OciError } from '../oci/index.ts';
import { misdirected, refuseUnknown, tooManyLogins, visitorOf } from './admission.ts';
import { clientOf } from './forwarded.ts';
import type { Handler } from './listener.ts';
import { isFromOtherPage, otherSiteRefusal } from './other-sites.ts';

export interface TokenEndpointOptions {
  readonly door: Door;
  readonly tokens: PullTokens;
  readonly pathTokens?: PathTokens;
  readonly listener: Visitor['listener'];
  readonly publicUrl?: string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * `GET /v2/token`, the realm of the Bearer challenge: a short-lived token for whoever logs in with Basic, and an anonymous
 * one for who brings nothing, where anonymous pulls are allowed. Wrong credentials never become anonymous.
 */
export function createTokenEndpoint(options: TokenEndpointOptions): Handler {
  return (request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      const refusal = error instanceof OciError ? error : new OciError('internal', 'something went wrong here');
      if (refusal !== error) options.log.error({ error: messageOf(error) }, 'a token could not be given');
      send(response, refusal.status, refusal.body(), refusal.headers);
    });
  };
}

async function answer(
  options: TokenEndpointOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw new OciError('methodUnsupported', 'expected GET', { Allow: 'GET, HEAD' });
  }
  const { headers, socket } = request;
  if (isFromOtherPage(headers)) throw new OciError('denied', otherSiteRefusal);
  const visitor = visitorOf(headers, clientOf(headers, socket.remoteAddress), options);
  const outcome = await Promise.resolve(options.door.enter(visitor)).catch(refuseUnknown);
  const { token, expiresInSeconds } = options.tokens.issue(
    holderByPath(options, request, outcome) ?? holderOf(outcome),
  );
  const issued = new Date(options.clock.now()).toISOString();
  const body = { token, access_token: token, expires_in: expiresInSeconds, issued_at: issued };
  send(response, 200, JSON.stringify(body), { 'Cache-Control': 'no-store' });
}

/**
 * Whose token is in the path of what a client without credentials wants to pull: clients that are challenged at `/v2/`,
 * which names no image, tell that path here, in the scope (`repository:wt/<token>/<image>:pull`).
 */
function holderByPath(
  { pathTokens }: TokenEndpointOptions,
  { url = '' }: IncomingMessage,
  outcome: Outcome,
): Principal | undefined {
  const brings = outcome.kind === 'principal' || outcome.kind === 'limited';
  if (pathTokens === undefined || brings || (outcome.kind === 'unauthorized' && outcome.reason === 'wrong')) return;
  for (const scope of new URLSearchParams(url.split('?')[1] ?? '').getAll('scope')) {
    const [, token] = /^repository:wt\/([^/:]+)\//.exec(scope) ?? [];
    const principal = token === undefined ? undefined : pathTokens(token);
    if (typeof principal === 'object') return principal;
  }
  return undefined;
}

function holderOf(outcome: Outcome) {
  switch (outcome.kind) {
    case 'principal':
      return outcome.principal;
    case 'anonymous':
      return undefined;
    case 'misdirected':
      throw misdirected();
    case 'unauthorized':
      throw new OciError('unauthorized', 'credentials are needed, or those given are wrong', {
        'WWW-Authenticate': 'Basic realm="Tonnage", charset="UTF-8"',
      });
    case 'limited':
      throw tooManyLogins(outcome.retryAfterSeconds);
  }
}

function send(response: ServerResponse, status: number, body: string, headers: Readonly<Record<string, string>>): void {
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    ...answerHeaders,
    ...headers,
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
