import type { Clock } from '../../base/index.ts';
import { parseChallenges } from '../../oci/index.ts';
import { connectionFailure } from './connection.ts';
import { discard, headerOf, type Send, type UpstreamAnswer, type UpstreamRequest } from './send.ts';
import { Tokens, type TokenEndpoint } from './tokens.ts';

export interface BasicCredentials {
  readonly username: string;
  readonly password: string;
}

/** How the upstream wants to be spoken to, as it last said. */
type Scheme =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic' }
  | { readonly kind: 'bearer'; readonly endpoint: TokenEndpoint };

const none: Scheme = { kind: 'none' };

/** Reads the scheme that a 401 asks for; null when it asks for none that is spoken here. */
function schemeOf(answer: UpstreamAnswer, secure: boolean): Scheme | null {
  const challenges = parseChallenges(headerOf(answer, 'www-authenticate') ?? '');
  for (const { scheme, parameters } of challenges) {
    if (scheme !== 'bearer') continue;
    const realm = URL.parse(parameters.get('realm') ?? '');
    // An upstream that is spoken to by https must not send our password over plain http.
    const allowed = realm !== null && (realm.protocol === 'https:' || (!secure && realm.protocol === 'http:'));
    if (allowed) return { kind: 'bearer', endpoint: { realm, service: parameters.get('service') } };
  }
  return challenges.some(({ scheme }) => scheme === 'basic') ? { kind: 'basic' } : null;
}

/** The outcome of work, or a failure as soon as the signal aborts. */
function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(connectionFailure(signal.reason));
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}

/**
 * Authenticates at one upstream, in the steps of the token specification:
 * 1. the request goes out with what the upstream asked for last time: nothing, Basic, or a bearer token that is kept;
 * 2. a 401 of the upstream itself (not of a host that it redirected to) says what it asks for;
 * 3. for a bearer token, its endpoint is asked, with our credentials when there are any, else anonymously;
 * 4. the request is sent once more; a second 401 is the answer.
 */
export function withAuth(
  next: Send,
  options: { readonly origin: URL; readonly credentials: BasicCredentials | undefined; readonly clock: Clock },
): Send {
  const { origin, credentials, clock } = options;
  const basic =
    credentials === undefined
      ? undefined
      : `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`, 'utf8').toString('base64')}`;
  const tokens = new Tokens({ send: next, clock, basic });
  let scheme = none;

  async function authorization(asked: Scheme, { repository, signal }: UpstreamRequest): Promise<string | undefined> {
    if (asked.kind !== 'bearer') return asked.kind === 'basic' ? basic : undefined;
    // The token is for others too: this request may give up on it, but does not end it.
    return `Bearer ${await unlessAborted(tokens.get(asked.endpoint, repository), signal)}`;
  }

  function sendWith(request: UpstreamRequest, value: string | undefined): Promise<UpstreamAnswer> {
    return next(value === undefined ? request : { ...request, headers: { ...request.headers, authorization: value } });
  }

  return async (request) => {
    const used = await authorization(scheme, request);
    const answer = await sendWith(request, used);
    if (answer.status !== 401 || answer.origin !== origin.origin) return answer;
    const asked = schemeOf(answer, origin.protocol === 'https:');
    if (asked === null || (asked.kind === 'basic' && (basic === undefined || used === basic))) return answer;
    await discard(answer);
    if (used?.startsWith('Bearer ') === true) tokens.forget(request.repository, used.slice('Bearer '.length));
    scheme = asked;
    return sendWith(request, await authorization(asked, request));
  };
}
