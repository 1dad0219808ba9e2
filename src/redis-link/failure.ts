import { limits, TonnageError } from '../base/index.ts';
import type { RedisStatus } from './types.ts';

/** An error reply: Redis did not do the command, or its script failed half-way. */
export class RedisErrorReply extends Error {
  /** The first word, such as `WRONGTYPE`. */
  readonly word: string;

  constructor(message: string) {
    super(message);
    this.name = 'RedisErrorReply';
    this.word = message.split(' ', 1)[0] ?? '';
  }
}

/** First words of transient error replies: Redis did nothing, and the same command may succeed in a moment. */
const transientWords: ReadonlySet<string> = new Set([
  'BUSY',
  'CLUSTERDOWN',
  'LOADING',
  'MASTERDOWN',
  'NOREPLICAS',
  'READONLY',
  'TRYAGAIN',
]);

/** Whether the same command may succeed in a moment. */
export function isTransient(error: RedisErrorReply): boolean {
  return transientWords.has(error.word);
}

/** A redirect of a Cluster: the node that has the slot. */
export interface Redirect {
  readonly kind: 'moved' | 'ask';
  /** Empty: the host of the node that sent the redirect. */
  readonly host: string;
  readonly port: number;
}

/** Parses `MOVED slot host:port` and `ASK slot host:port`; undefined for any other reply. */
export function redirectOf(error: RedisErrorReply): Redirect | undefined {
  const match = /^(MOVED|ASK) \d+ (.*):(\d+)$/.exec(error.message);
  if (!match) return undefined;
  const [, word, host = '', port] = match;
  return { kind: word === 'ASK' ? 'ask' : 'moved', host, port: Number(port) };
}

export function unavailable(message: string): TonnageError {
  return new TonnageError('redis_unavailable', message);
}

/** The error of an error reply for callers of the link. `what`: the command or script. */
export function asTonnageError(error: RedisErrorReply, what: string): TonnageError {
  const code = isTransient(error) || redirectOf(error) ? 'redis_unavailable' : 'redis_refused';
  return new TonnageError(code, `Redis answered ${what} with: ${error.message}`);
}

/** The message without these secrets, shortened. Redis quotes the arguments that it does not understand. */
export function redact(message: string, secrets: readonly (string | undefined)[]): string {
  let clean = message;
  for (const secret of secrets) if (secret) clean = clean.replaceAll(secret, '***');
  return clean.slice(0, limits.redisMessageLengthMax);
}

/** The status of a link. `failures`: one for each server that is not connected. */
export function statusOf(failures: readonly TonnageError[]): RedisStatus {
  if (failures.length === 0) return { connected: true };
  const isRefused = failures.some(({ code }) => code === 'redis_refused');
  const failure = failures.map(({ message }) => message).join('; ');
  return { connected: false, failure, ...(isRefused && { isRefused }) };
}
