import { globSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { useMemoryFolder } from './scripts/test/memory-folder.ts';

const long = process.env['TONNAGE_TEST_LONG'] === '1';
const redisServer = process.env['TONNAGE_TEST_REDIS_SERVER'] ?? 'redis-server';
// Suites read these under other names: a server that a suite starts would reject them as unknown settings.
delete process.env['TONNAGE_TEST_LONG'];
delete process.env['TONNAGE_TEST_REDIS_SERVER'];
// Threads and programs that the tests start load their compiled sources from here. Without it each of them strips the types.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules', '.cache', 'tonnage');
// The long run keeps its files on the disk, so that commits are also tested with the disk's delays.
if (!long) useMemoryFolder();
const files = globSync(['src/**/*.test.ts', 'test/**/*.test.ts', 'web/src/**/*.test.ts']).filter(
  long ? isLong : isShort,
);

/** Of the long run: suites that say so in their name, that ask `scaled()` for a count, or that run a contract's suite. */
function isLong(file: string): boolean {
  return file.endsWith('.long.test.ts') || /\bscaled\(|conformance[.]ts'/.test(readFileSync(file, 'utf8'));
}

function isShort(file: string): boolean {
  return !file.endsWith('.long.test.ts');
}

/** Needs a process of its own: starts programs, replaces globals, or measures the process. */
function isAlone(file: string): boolean {
  return /^(test|web|src\/cli)\/|\/(runtime|many-values|upstream\/content-coding)[.]test/.test(file);
}

export default defineConfig({
  // Results of earlier runs would only reorder the files; without them a run leaves nothing in the checkout.
  cacheDir: join(tmpdir(), 'tonnage-vitest'),
  test: {
    cache: false,
    pool: 'forks',
    // Several suites start servers and clients of their own: more at once would measure each other.
    maxWorkers: 2,
    // What hangs is ended; a machine that is busy with other things, or whose disk stands still, is waited for.
    testTimeout: long ? 30 * 60_000 : 2 * 60_000,
    hookTimeout: 3 * 60_000,
    expect: { poll: { timeout: 60_000 } },
    watch: false,
    env: { TZ: 'UTC', TEST_LONG: long ? '1' : '', TEST_REDIS_SERVER: redisServer },
    projects: [
      // One process runs many files, and so loads each source file once.
      {
        extends: true,
        test: { name: 'together', include: files.filter((file) => !isAlone(file)), isolate: false, restoreMocks: true },
      },
      { extends: true, test: { name: 'alone', include: files.filter(isAlone) } },
    ],
  },
});
