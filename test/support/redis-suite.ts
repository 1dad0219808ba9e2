import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { closeLinks, connectTestLink, type TestLink } from './redis-link.ts';
import { startRedis, type RedisOptions, type RedisServer } from './redis.ts';

/** A Redis for the tests of one file. */
export interface SuiteRedis {
  /** Where tests may put what they like; the server's own data lie in a folder of it. Is gone after the last test. */
  readonly directory: string;
  /** There from the first hook or test on. */
  readonly server: RedisServer;
  /** Empties the server, and answers a connected link to it, which is closed after the test. */
  freshLink(): Promise<TestLink>;
}

/** Starts a Redis before the first test of the file that calls this, and ends it after the last one. */
export function suiteRedis(options: RedisOptions = {}): SuiteRedis {
  const directory = mkdtempSync(join(tmpdir(), 'tonnage-redis-'));
  let started: RedisServer | undefined;
  beforeAll(async () => {
    started = await startRedis(join(directory, 'server'), options);
  });
  afterEach(closeLinks);
  afterAll(async () => {
    await started?.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    directory,
    get server() {
      if (!started) throw new Error('the Redis of the tests is started by a hook');
      return started;
    },
    async freshLink() {
      await this.server.cli('flushall');
      return connectTestLink({ mode: 'standalone', url: this.server.url });
    },
  };
}
