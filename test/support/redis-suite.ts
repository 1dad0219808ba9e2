import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { closeLinks, connectTestLink, type TestLink } from './redis-link.ts';
import { startRedis, type RedisOptions, type RedisServer } from './redis.ts';

/** A Redis for the tests of one file. */
export interface SuiteRedis {
  /** A folder for the tests, which also has the server's data in a subfolder. Removed after the last test. */
  readonly directory: string;
  /** Set from the first hook or test on. */
  readonly server: RedisServer;
  /** A path in `directory` that no test has used yet. */
  newPath(): string;
  /** Empties the server, and returns a connected link to it, which is closed after the test. */
  freshLink(): Promise<TestLink>;
}

/** Starts a Redis before the first test of the file that calls this, and ends it after the last one. */
export function suiteRedis(options: RedisOptions = {}): SuiteRedis {
  const directory = mkdtempSync(join(tmpdir(), 'tonnage-redis-'));
  let started: RedisServer | undefined;
  let paths = 0;
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
      if (!started) throw new Error('a hook starts the Redis of the tests: use it in hooks and tests only');
      return started;
    },
    newPath: () => join(directory, String(++paths)),
    async freshLink() {
      await this.server.cli('flushall');
      return connectTestLink({ mode: 'standalone', url: this.server.url });
    },
  };
}
