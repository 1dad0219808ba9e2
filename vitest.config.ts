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

/** The project of vitest that a file belongs to. */
function projectOf(file: string): 'program' | 'alone' | 'together' {
  if (file.startsWith('test/e2e/')) return 'program';
  const isAlone =
    /^(test|web|src\/cli)\/|\/(runtime|many-values|upstream\/content-coding|debusine\/large[.]long)[.]test/.test(file);
  return isAlone ? 'alone' : 'together';
}

/** The name and the files of a project. */
function project(name: ReturnType<typeof projectOf>) {
  return { name, include: files.filter((file) => projectOf(file) === name) };
}

export default defineConfig({
  // Results of earlier runs would only reorder the files; without them a run leaves nothing in the checkout.
  cacheDir: join(tmpdir(), 'tonnage-vitest'),
  test: {
    cache: false,
    pool: 'forks',
    // Two more than a small machine has cores, since many tests wait for timers, disks and other processes. With many more,
    // tests of servers and their clients would slow each other down.
    maxWorkers: 4,
    // Long enough for a busy machine or a slow disk: a time-out only ends a test that hangs.
    testTimeout: long ? 30 * 60_000 : 2 * 60_000,
    hookTimeout: 3 * 60_000,
    expect: { poll: { timeout: 60_000 } },
    watch: false,
    env: { TZ: 'UTC', TEST_LONG: long ? '1' : '', TEST_REDIS_SERVER: redisServer },
    projects: [
      // These start the program.
      { extends: true, test: { ...project('program'), globalSetup: 'test/support/bundle-program.ts' } },
      // These start other programs, replace globals, or measure their own process.
      { extends: true, test: project('alone') },
      // One process runs many files, and so loads each source file once.
      { extends: true, test: { ...project('together'), isolate: false, restoreMocks: true } },
    ],
  },
});
