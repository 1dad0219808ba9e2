import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../base/index.ts';
import { eventually, startRedis, type RedisOptions, type RedisServer } from '../../../../test/support/redis.ts';
import { openRedisLink, type RedisLink } from '../../../redis-link/index.ts';

export const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** An empty Redis and a link to it. */
export interface TestRedis {
  readonly server: RedisServer;
  readonly link: RedisLink;
  stop(): Promise<void>;
}

export async function openTestRedis(options: RedisOptions = {}): Promise<TestRedis> {
  const directory = mkdtempSync(join(tmpdir(), 'tonnage-redis-'));
  const server = await startRedis(directory, options);
  const link = await openRedisLink({ mode: 'standalone', url: server.url, clock: systemClock, log: silent });
  await eventually('the link is connected', () => link.status.connected);
  return {
    server,
    link,
    async stop() {
      await link.close();
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
