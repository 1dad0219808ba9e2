import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Agent, fetch } from 'undici';
import { limits, TonnageError } from '../base/index.ts';
import type { Config } from '../config/index.ts';
import type { TokenManager, TokenInfo, TokenRequest } from '../identity/index.ts';
import { isWishRefused, readMadeToken, readProblem, readTokens } from './token-answers.ts';
import { authorizationOf, baseOf, isOfUsage, reasonOf, type RemoteUsageOptions } from './remote-usage.ts';

interface Server {
  /** Scheme, host and port, without a slash at the end. */
  readonly base: string;
  /** How it is called in messages. */
  readonly name: string;
  readonly authorization?: string | undefined;
  /** A socket of this machine, instead of the host. */
  readonly socket?: string;
}

/** The tokens of a server at a URL. Throws `UsageError` as `authorizationOf` does. */
export function remoteTokens(options: RemoteUsageOptions): TokenManager {
  const base = baseOf(options.url);
  return tokensOf({ base, name: base, authorization: authorizationOf(options) });
}

export interface LocalTokensOptions {
  readonly data: string;
  /** Says which upstreams scopes may name, where no server does. Absent: they are kept as they are written. */
  readonly config?: Config;
  /** Makes a ledger where there is none. */
  readonly makes: boolean;
  /** The error for a directory without a ledger, where none is made. */
  readonly absent: () => TonnageError;
  /** Is told when a ledger was made. */
  readonly onMade: () => void;
}

/**
 * Does something with the tokens of a data directory: in its file, or at the server that has it open, by the socket that
 * is there for that.
 */
export async function withLocalTokens<T>(
  { data, config, makes, absent, onMade }: LocalTokensOptions,
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
    if (error.code === 'not_found' && !isThere()) throw absent();
    if (error.code !== 'data_locked') throw error;
  } finally {
    if (makes && !wasThere && isThere()) onMade();
  }
  const socket = join(data, socketName);
  return work(tokensOf({ base: 'http://localhost', name: `the server of ${data}`, socket }));
}

function tokensOf(server: Server): TokenManager {
  const tokens = '/api/v1/tokens';
  return {
    async create({ expiresAt, ...wish }: TokenRequest) {
      const expires = expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() };
      return readMadeToken(await ask(server, 'POST', tokens, { ...wish, ...expires }));
    },
    async list(): Promise<readonly TokenInfo[]> {
      return readTokens(await ask(server, 'GET', tokens));
    },
    async revoke(id) {
      await ask(server, 'DELETE', `${tokens}/${encodeURIComponent(id)}`);
    },
  };
}

/**
 * Asks for one thing, and answers the body. Throws `bad_request` with the words of a server that refuses what a token was
 * to be, and else `unavailable` with what it says is wrong.
 */
async function ask(server: Server, method: string, path: string, body?: object): Promise<string> {
  const { base, name, authorization, socket } = server;
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
      // Credentials are for this server only.
      redirect: 'error',
      signal: AbortSignal.timeout(limits.commandAnswerMsMax),
      dispatcher,
    });
    status = response.status;
    text = await response.text();
  } catch (cause) {
    throw new TonnageError('unavailable', `${name} does not answer: ${reasonOf(cause)}`, { cause });
  } finally {
    await dispatcher.close();
  }
  if (status >= 200 && status < 300) return text;
  const problem = readProblem(text);
  if (isOfUsage(status, text) && isWishRefused(problem)) throw new TonnageError('bad_request', problem);
  throw new TonnageError('unavailable', `${name} answered ${status}: ${problem}`);
}
