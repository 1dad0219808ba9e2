import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { systemClock, systemRandom } from '../base/index.ts';
import { redisUrlForm, type RedisStoreConfig } from '../config/index.ts';
import type { WaveImportSummary } from '../store/index.ts';
import type { Terminal } from './contract.ts';
import { run as cli } from './testing/terminal.ts';
import { waveCommand } from './wave.ts';

const summary: WaveImportSummary = {
  scanned: 1_000_250,
  resumed: false,
  skipped: 0,
  skippedNames: [],
  meters: [
    { meter: 'builds', organisations: 1, architectures: 0, days: 0 },
    { meter: 'pulls', organisations: 250, architectures: 2, days: 2_000, first: '2021-01-01', last: '2026-06-23' },
  ],
};

/** Runs `tonnage wave import` with these arguments over an import that answers `answer`. */
async function run(args: readonly string[], environment: Terminal['environment'] = {}, answer = summary) {
  let [stdout, stderr] = ['', ''];
  const asked: RedisStoreConfig[] = [];
  const terminal: Terminal = {
    environment,
    workingDirectory: '/',
    input: process.stdin,
    out: (text) => void (stdout += text),
    say: (text) => void (stderr += text),
    interactive: true,
    onSignals: () => () => undefined,
    end: () => undefined,
    clock: systemClock,
    random: systemRandom,
    version: '1.2.3',
  };
  const command = waveCommand(terminal, ({ store }, onProgress) => {
    if (store.driver === 'sqlite') return Promise.resolve(undefined);
    asked.push(store);
    onProgress({ scanned: answer.scanned, total: answer.scanned });
    return Promise.resolve(answer);
  });
  const program = new Command('tonnage').option('--config <file>').option('--data <directory>').addCommand(command);
  await program.parseAsync(['wave', 'import', ...args], { from: 'user' });
  return { stdout, stderr, redis: asked[0] };
}

test('tells what was found, meter by meter; the bar is gone at the end', async () => {
  const { stdout, stderr } = await run(['--url', 'redis://127.0.0.1:6379']);
  expect(stdout.split('\n')).toEqual([
    '1,000,250 fields scanned',
    'builds: 1 organisation, 0 architectures, 0 days',
    'pulls: 250 organisations, 2 architectures, 2,000 days of Wave, 2021-01-01 to 2026-06-23',
    '',
  ]);
  expect(stderr.endsWith('100%  1,000,250 of 1,000,250 fields\r\u{1b}[K')).toBe(true);
});

test('names the first fields that were left out, as they may stand on a terminal', async () => {
  const odd = { ...summary, resumed: true, skipped: 12, skippedNames: ['pulls/o/x/y', 'a\u{9b}2J'] };
  const { stdout, stderr } = await run(['--url', 'redis://127.0.0.1:6379'], {}, odd);
  expect(stdout).toContain('1,000,250 fields scanned, including those of an interrupted run\n');
  expect(stderr).toContain(
    '12 fields skipped, because Wave does not write them or they are ambiguous: "pulls/o/x/y", "a\u{fffd}2J", ...\n',
  );
});

test('takes the Redis of --url, with the password of the environment', async () => {
  const { redis } = await run(['--url', 'redis://redis.example.org:6379/2'], { TONNAGE_STORE_PASSWORD: 'hush' });
  expect(redis?.url).toBeDefined();
  expect(redis?.url?.reveal()).toBe('redis://redis.example.org:6379/2');
  expect(redis?.password?.reveal()).toBe('hush');
});

test('takes the Redis of the configuration', async () => {
  const environment = { TONNAGE_STORE_DRIVER: 'redis', TONNAGE_STORE_URL: 'redis://redis.example.org:6379' };
  const { redis } = await run([], environment);
  expect(redis?.url).toBeDefined();
});

test('asks for one where there is none', async () => {
  await expect(run([])).rejects.toThrow('expected --url');
});

describe('an address that is none', () => {
  test.each([
    ['redis.example.org:6379', '"redis.example.org:6379"'],
    ['http://redis.example.org', '"http://redis.example.org"'],
    ['http://user:hush@redis.example.org', '"***@redis.example.org"'],
    ['redis://', '"redis://"'],
    ['redis://h/not-a-number', '"redis://h/not-a-number"'],
    ['', '""'],
  ])('%j is told by its option', async (url, shown) => {
    const result = await cli(['wave', 'import', '--url', url]);
    const stderr = `tonnage: --url: expected ${redisUrlForm}, got ${shown}\n`;
    expect(result).toEqual({ code: 2, stdout: '', stderr });
  });

  test('is told by its option also where only the configuration shows that', async () => {
    const environment = { TONNAGE_STORE_USERNAME: 'u' };
    const lacking = await cli(['wave', 'import', '--url', 'redis://user@h'], { environment: {} });
    expect(lacking.stderr).toMatch(/^tonnage: --url: store\.url: expected a password for the user of the URL/);
    const beside = await cli(['wave', 'import', '--url', 'redis://h'], { environment });
    expect(beside.stderr).toMatch(/^tonnage: TONNAGE_STORE_USERNAME: /);
    expect([lacking.code, beside.code]).toEqual([1, 1]);
  });
});
