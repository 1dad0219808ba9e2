import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf, type Clock, type Log } from '../base/index.ts';
import type { Authentication, Outcome, PathTokens, Principal, PullTokens, AuthRequest } from '../identity/index.ts';
import { answerHeaders, OciError } from '../oci/index.ts';
import { assertMayPull, authRequestOf, misdirected, throwIdentityUnavailable, tooManyLogins } from './admission.ts';
import { clientOf } from './forwarded.ts';
import type { Handler } from './listener.ts';
import { isFromOtherPage, otherSiteMessage } from './other-sites.ts';
import { sendBody } from './send-body.ts';

export interface TokenEndpointOptions {
  readonly authentication: Authentication;
  readonly tokens: PullTokens;
  readonly pathTokens?: PathTokens;
  readonly listener: AuthRequest['listener'];
  readonly publicUrl?: string;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Creates the handler of `GET /v2/token`, the realm of the Bearer challenge. A client that logs in with Basic gets a
 * short-lived token. A client without credentials gets an anonymous token if anonymous pulls are allowed. Wrong
 * credentials are always rejected.
 */
export function createTokenEndpoint(options: TokenEndpointOptions): Handler {
  return (request, response) => {
    answer(options, request, response).catch((error: unknown) => {
      const sent = error instanceof OciError ? error : new OciError('internal', 'internal server error');
      if (sent !== error) options.log.error({ error: messageOf(error) }, 'cannot issue a token');
      send(response, sent.status, sent.body(), sent.headers);
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
  if (isFromOtherPage(headers)) throw new OciError('denied', otherSiteMessage);
  const authRequest = authRequestOf(headers, clientOf(headers, socket.remoteAddress), options);
  const outcome = await Promise.resolve(options.authentication.authenticate(authRequest)).catch(
    throwIdentityUnavailable,
  );
  const { token, expiresInSeconds } = options.tokens.issue(
    holderByPath(options, request, outcome) ?? holderOf(outcome),
  );
  const issued = new Date(options.clock.now()).toISOString();
  const body = { token, access_token: token, expires_in: expiresInSeconds, issued_at: issued };
  send(response, 200, JSON.stringify(body), { 'Cache-Control': 'no-store' });
}

/**
 * Returns the holder of a path token in the `scope` parameter (`repository:wt/<token>/<image>:pull`). A client that was
 * challenged at `/v2/`, which names no image, sends the path here.
 */
function holderByPath(
  { pathTokens }: TokenEndpointOptions,
  { url = '' }: IncomingMessage,
  outcome: Outcome,
): Principal | undefined {
  const hasCredentials = outcome.kind === 'principal' || outcome.kind === 'limited';
  if (pathTokens === undefined || hasCredentials) return;
  if (outcome.kind === 'unauthorized' && outcome.reason === 'wrong') return;
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
      assertMayPull(outcome.principal);
      return outcome.principal;
    case 'anonymous':
      return undefined;
    case 'misdirected':
      throw misdirected();
    case 'unauthorized':
      throw new OciError('unauthorized', 'credentials are missing or wrong', {
        'WWW-Authenticate': 'Basic realm="Tonnage", charset="UTF-8"',
      });
    case 'limited':
      throw tooManyLogins(outcome.retryAfterSeconds);
  }
}

function send(response: ServerResponse, status: number, body: string, headers: Readonly<Record<string, string>>): void {
  sendBody(response, status, body, { 'content-type': 'application/json', ...answerHeaders, ...headers });
}
