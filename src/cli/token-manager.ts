import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { limits, TonnageError } from '../base/index.ts';
import type { Config } from '../config/index.ts';
import type { TokenManager, TokenInfo, TokenRequest } from '../identity/index.ts';
import { isRequestRefused, readCreatedToken, readTokens } from './token-answers.ts';
import { authorizationOf, baseOf, isOfUsage, type RemoteUsageOptions } from './remote-usage.ts';
import { readProblem, reasonOf } from './server-response.ts';

interface Server {
  /** Scheme, host and port, without a trailing slash. */
  readonly base: string;
  /** Its name in messages. */
  readonly name: string;
  readonly authorization?: string | undefined;
  /** A local socket to use instead of the host. */
  readonly socket?: string;
}

/** Manages the tokens of a server at a URL. Throws `UsageError`. */
export function remoteTokens(options: RemoteUsageOptions): TokenManager {
  const base = baseOf(options.url);
  return tokensOf({ base, name: base, authorization: authorizationOf(options) });
}

interface LocalTokensOptions {
  readonly data: string;
  /** The configured upstreams, against which scopes are checked if no server runs. Absent: scopes are stored as stated. */
  readonly config?: Config;
  /** Whether to create a missing ledger. */
  readonly makes: boolean;
  /** Creates the error for a missing ledger that is not created. */
  readonly absent: () => Promise<TonnageError>;
  /** Called after a ledger was created. */
  readonly onCreated: () => void;
}

/** Calls `work` with the tokens of a data directory: in its file, or through the socket of the server that has locked it. */
export async function withLocalTokens<T>(
  { data, config, makes, absent, onCreated }: LocalTokensOptions,
  work: (tokens: TokenManager) => Promise<T>,
): Promise<T> {
  const { socketName, ledgerFileName } = await import('../app.ts');
  const { withTokens } = await import('../offline.ts');
  const isThere = (): boolean => existsSync(join(data, ledgerFileName));
  const wasThere = isThere();
  try {
    return await withTokens(data, { makes, ...(config && { config }) }, work);
  } catch (error) {
    if (!(error instanceof TonnageError)) throw error;
    if (error.code === 'not_found' && !isThere()) throw await absent();
    if (error.code !== 'data_locked') throw error;
  } finally {
    if (makes && !wasThere && isThere()) onCreated();
  }
  const socket = join(data, socketName);
  return work(tokensOf({ base: 'http://localhost', name: `the server of ${data}`, socket }));
}

function tokensOf(server: Server): TokenManager {
  const tokens = '/api/v1/tokens';
  return {
    async create({ expiresAt, ...request }: TokenRequest) {
      const expires = expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() };
      return readCreatedToken(await send(server, 'POST', tokens, { ...request, ...expires }));
    },
    async list(): Promise<readonly TokenInfo[]> {
      return readTokens(await send(server, 'GET', tokens));
    },
    async revoke(id) {
      await send(server, 'DELETE', `${tokens}/${encodeURIComponent(id)}`);
    },
  };
}

/**
 * Sends one request and resolves with the body. Rejects with `bad_request` if the server rejects the token request, and with
 * `unavailable` for any other failure.
 */
async function send(server: Server, method: string, path: string, body?: object): Promise<string> {
  const { base, name, authorization, socket } = server;
  // Loaded lazily, so that other commands start faster.
  const { Agent, fetch } = await import('undici');
  const dispatcher = new Agent(socket === undefined ? {} : { connect: { socketPath: socket } });
  let status: number;
  let text: string;
  try {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: {
        accept: 'application/json',
        ...(authorization !== undefined && { authorization }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      // Never send credentials to another server.
      redirect: 'error',
      signal: AbortSignal.timeout(limits.commandAnswerMsMax),
      dispatcher,
    });
    status = response.status;
    text = await response.text();
  } catch (cause) {
    throw new TonnageError('unavailable', `${name} does not respond: ${reasonOf(cause)}`, { cause });
  } finally {
    await dispatcher.close();
  }
  if (status >= 200 && status < 300) return text;
  const problem = readProblem(text, '');
  if (isOfUsage(status, text) && isRequestRefused(problem)) throw new TonnageError('bad_request', problem);
  throw new TonnageError('unavailable', `${name} responded with ${status}: ${problem}`);
}
