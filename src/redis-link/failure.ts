import { limits, TonnageError } from '../base/index.ts';
import type { RedisStatus } from './types.ts';

/** An error reply: Redis has answered, so this one command was not done (or a script broke off). */
export class RedisErrorReply extends Error {
  /** The first word, such as `WRONGTYPE`. */
  readonly word: string;

  constructor(message: string) {
    super(message);
    this.name = 'RedisErrorReply';
    this.word = message.split(' ', 1)[0] ?? '';
  }
}

/** Replies that say "not now": nothing was done, and the same may work in a moment. */
const passing: ReadonlySet<string> = new Set([
  'BUSY',
  'CLUSTERDOWN',
  'LOADING',
  'MASTERDOWN',
  'NOREPLICAS',
  'READONLY',
  'TRYAGAIN',
]);

/** Whether Redis asks for patience. */
export function isPassing(error: RedisErrorReply): boolean {
  return passing.has(error.word);
}

/** Where a Cluster says that a slot is. */
export interface Redirect {
  readonly kind: 'moved' | 'ask';
  /** Empty: the host of whoever said so. */
  readonly host: string;
  readonly port: number;
}

/** Reads `MOVED slot host:port` and `ASK slot host:port`; undefined for any other reply. */
export function redirectOf(error: RedisErrorReply): Redirect | undefined {
  const match = /^(MOVED|ASK) \d+ (.*):(\d+)$/.exec(error.message);
  if (!match) return undefined;
  const [, word, host = '', port] = match;
  return { kind: word === 'ASK' ? 'ask' : 'moved', host, port: Number(port) };
}

export function unavailable(message: string): TonnageError {
  return new TonnageError('redis_unavailable', message);
}

/** An error reply as the callers of the link see it. */
export function asTonnageError(error: RedisErrorReply, what: string): TonnageError {
  const code = isPassing(error) || redirectOf(error) ? 'redis_unavailable' : 'redis_refused';
  return new TonnageError(code, `Redis answered ${what} with: ${error.message}`);
}

/** A message without these secrets, and not longer than is of use. Redis quotes what it does not understand. */
export function redact(message: string, secrets: readonly (string | undefined)[]): string {
  let clean = message;
  for (const secret of secrets) if (secret) clean = clean.replaceAll(secret, '***');
  return clean.slice(0, limits.redisMessageLengthMax);
}

/** The status of a link to servers, by what keeps those of them that are not connected. */
export function statusOf(failures: readonly TonnageError[]): RedisStatus {
  if (failures.length === 0) return { connected: true };
  const isRefused = failures.some(({ code }) => code === 'redis_refused');
  const failure = failures.map(({ message }) => message).join('; ');
  return { connected: false, failure, ...(isRefused && { isRefused }) };
}
