import { systemClock, TonnageError, type Log } from '../../src/base/index.ts';
import { openRedisLink, type RedisLink, type RedisLinkOptions } from '../../src/redis-link/index.ts';
import { eventually } from './redis.ts';

type WithoutOwn<T> = T extends unknown ? Omit<T, 'clock' | 'log'> : never;

/** Options of a link, except the clock, which is the system's, and the log, which is collected. */
export type LinkTestOptions = WithoutOwn<RedisLinkOptions>;

/** A link, and the lines that it has logged. */
export interface TestLink {
  readonly link: RedisLink;
  readonly lines: readonly string[];
}

const links: RedisLink[] = [];

/** Opens a link that `closeLinks` closes. Returns at once, connected or not. */
export async function openTestLink(options: LinkTestOptions): Promise<TestLink> {
  const lines: string[] = [];
  const line = (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  const log: Log = { debug: line, info: line, warn: line, error: line };
  const link = await openRedisLink({ ...options, clock: systemClock, log });
  links.push(link);
  return { link, lines };
}

/** Opens a link and waits until it is connected. */
export async function connectTestLink(options: LinkTestOptions): Promise<TestLink> {
  const opened = await openTestLink(options);
  await untilConnected(opened.link);
  return opened;
}

export function untilConnected(link: RedisLink): Promise<void> {
  return eventually('the link is connected', () => link.status.connected);
}

/** Runs `cut`, which cuts the connection, and waits for the next connection, however soon it comes. */
export async function reconnectedAfter({ link, lines }: TestLink, cut: () => Promise<unknown>): Promise<void> {
  const connections = () => lines.filter((line) => line.startsWith('connected to Redis')).length;
  const before = connections();
  await cut();
  await eventually('the link is connected anew', () => connections() > before && link.status.connected);
}

/** Only for a server that stays unreachable: a link that reconnects at once may never be seen as disconnected. */
export function untilDisconnected(link: RedisLink): Promise<void> {
  return eventually('the link has noticed that its connection is gone', () => !link.status.connected);
}

/**
 * The answer to `ask`, retried while Redis is too slow for the limits of the link: for limits that are short on purpose, and
 * for requests that may be repeated.
 */
export async function answered<T>(ask: () => Promise<T>): Promise<T> {
  let answer: Promise<T> | undefined;
  await eventually('Redis answers in time', async () => {
    answer = ask();
    return answer.then(
      () => true,
      (error: unknown) => !(error instanceof TonnageError && error.code === 'redis_unavailable'),
    );
  });
  if (!answer) throw new Error('nothing was asked');
  return answer;
}

/** Closes all links that were opened here, for `afterEach`. */
export async function closeLinks(): Promise<void> {
  await Promise.all(links.splice(0).map((link) => link.close()));
}
