import { mkdtempSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runProgram } from '../support/program.ts';
import { eventually, startRedis, type RedisServer } from '../support/redis.ts';
import { entry, startTonnage, tonnage, type Tonnage } from '../support/tonnage.ts';

const directory = mkdtempSync(join(tmpdir(), 'tonnage-cli-'));
const data = join(directory, 'data');
let redis: RedisServer;
let server: Tonnage | undefined;

beforeAll(async () => {
  redis = await startRedis(join(directory, 'redis'));
});
afterAll(async () => {
  await server?.program.stop('SIGKILL');
  await redis.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function start(): Promise<Tonnage> {
  server = await startTonnage(directory, { upstreams: {}, store: { driver: 'redis', url: redis.url } });
  return server;
}

/** Runs a command in the folder of the server's configuration, as operators do. */
const here = (args: readonly string[], expected = 0) =>
  runProgram(process.execPath, [entry, ...args], { cwd: directory, expected });

const build = (url: string, id: string) =>
  tonnage(['event', 'send', '--url', url, '--type', 'tonnage.build', '--org', 'a.example', '--id', id]);

const check = (expected = 0) => here(['ledger', 'check', '--config', 'tonnage.yaml'], expected);

const readiness = async ({ url }: Tonnage): Promise<string> => (await fetch(`${url}/readyz`)).text();

test('what keeps Redis from being told is found by the check, as the running server says it; usage says what it reads', async () => {
  const first = await start();
  await build(first.url, '1');
  await build(first.url, '2');
  await eventually('Redis has it', async () => (await check()).stderr === '');
  await first.program.stop();

  // As after an outage that was longer than what the outbox keeps.
  await redis.cli('flushall');
  const ledger = new DatabaseSync(join(data, 'ledger.sqlite'));
  ledger.exec('delete from outbox where number = 1');
  ledger.close();
  const stuck = await start();
  await eventually('it says so', async () => (await readiness(stuck)).includes('run tonnage ledger rebuild'));
  const found = await check(1);
  expect(found.stdout).toMatch(
    /^totals are incomplete \(ledger_gap\): batch 1 of this ledger is missing in Redis, .* stop the server and run tonn/,
  );
  expect(found.stderr).toBe('tonnage: 1 found; tonnage ledger rebuild repairs sums\n');
  await stuck.program.stop();

  const alone = await here(['usage', 'builds', '--format', 'csv']);
  expect(alone.stdout).toBe('value\r\n2\r\n');
  expect(alone.stderr).toContain(
    'tonnage.yaml in this directory was not read; it keeps totals in a Redis: add --config',
  );
  const asked = ['usage', 'builds', '--format', 'csv', '--config', 'tonnage.yaml'];
  const refused = await here(asked, 1);
  expect(refused.stdout).toBe('');
  expect(refused.stderr).toMatch(/^tonnage: totals are incomplete: batch 1 of this ledger is missing .*--incomplete/);
  const incomplete = await here([...asked, '--incomplete']);
  expect(incomplete.stdout).toBe('value\r\n');
  expect(incomplete.stderr).toContain('these totals are incomplete (ledger_gap)');
  await here(['ledger', 'rebuild', '--config', 'tonnage.yaml']);
  expect(await check()).toEqual({ stdout: 'ok\n', stderr: '' });
  const mended = await here(['usage', 'builds', '--format', 'csv', '--config', 'tonnage.yaml']);
  expect(mended).toEqual({ stdout: 'value\r\n2\r\n', stderr: '' });
});

test('a token that is made before the first start holds, where the configuration names the data directory', async () => {
  const early = mkdtempSync(join(directory, 'early-'));
  const at = ['--data', join(early, 'data')];
  const { stdout, stderr } = await tonnage(['token', 'create', '--org', 'a.example', ...at]);
  expect(stderr).toMatch(/created a new ledger/);
  const running = await startTonnage(early, { upstreams: {} });
  const answer = await fetch(`${running.url}/api/v1/usage/pulls?org=b.example`, {
    headers: { authorization: `Bearer ${stdout.trim()}` },
  });
  expect(answer.status).toBe(403);
  expect((await tonnage(['token', 'list', ...at])).stdout).toContain('a.example');
  expect(await running.program.stop()).toBe(0);
});
