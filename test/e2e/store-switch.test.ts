import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { startProgram, type Program } from '../support/program.ts';
import { eventually, startRedis, type RedisServer } from '../support/redis.ts';
import { entry, startTonnage, tonnage, type Tonnage } from '../support/tonnage.ts';

const directory = mkdtempSync(join(tmpdir(), 'tonnage-switch-'));
let redis: RedisServer;
let server: Tonnage | undefined;
let started: Program | undefined;
let home = '';
let sent = 0;

beforeAll(async () => {
  redis = await startRedis(join(directory, 'redis'));
});
beforeEach(async () => {
  await redis.cli('flushall');
  home = mkdtempSync(join(directory, 'home-'));
});
afterEach(async () => {
  await stop();
  await started?.stop('SIGKILL');
});
afterAll(async () => {
  await redis.stop();
  rmSync(directory, { recursive: true, force: true });
});

type Driver = 'redis' | 'sqlite';

const storeOf = (driver: Driver) => (driver === 'redis' ? { driver, url: redis.url } : { driver });

/** A configuration of the ledger whose totals are kept by this driver. */
function configOf(driver: Driver): string {
  const file = join(home, `${driver}.yaml`);
  const parts = { data: join(home, 'data'), listen: '127.0.0.1:0', upstreams: {}, store: storeOf(driver) };
  writeFileSync(file, stringify(parts));
  return file;
}

async function start(driver: Driver): Promise<Tonnage> {
  return (server = await startTonnage(home, { upstreams: {}, store: storeOf(driver) }));
}

async function stop(): Promise<void> {
  await server?.program.stop();
  server = undefined;
}

/** What a start says that is refused. One that is not is stopped behind the test. */
async function refusal(driver: Driver): Promise<string> {
  started = startProgram(process.execPath, [entry, 'serve', '--config', configOf(driver)]);
  const { child } = started;
  const [line] = await started.until(/^(tonnage: .*|.*"msg":"listening".*)\n/m);
  expect(line).not.toContain('listening');
  await eventually('it has ended', () => child.exitCode !== null);
  expect(child.exitCode).toBe(1);
  return line;
}

const ledger = (driver: Driver, args: readonly string[], expected = 0) =>
  tonnage(['--config', configOf(driver), 'ledger', ...args], { expected });

const builds = async (driver: Driver) => tonnage(['--config', configOf(driver), 'usage', 'builds', '--format', 'csv']);

/** Runs a server by this driver that counts one build more; answers what its log says. */
async function countOne(driver: Driver): Promise<string> {
  const running = await start(driver);
  const { url, program } = running;
  const id = String((sent += 1));
  await tonnage(['event', 'send', '--url', url, '--type', 'tonnage.build', '--org', 'a.example', '--id', id]);
  const isDelivered = async () => /^tonnage_ledger_outbox_batches 0$/m.test(await running.metrics());
  if (driver === 'redis') await eventually('Redis has it', isDelivered);
  await stop();
  return program.output();
}

test('a start without the Redis that a ledger delivers to is refused; it goes on with it, or without once that is said', async () => {
  await countOne('redis');
  const message = await refusal('sqlite');
  expect(message).toMatch(
    /^tonnage: store: the ledger .* delivers its totals to a Redis, and this configuration names none/,
  );
  expect(message).toMatch(/store\.driver: redis.*tonnage ledger rebuild.*tonnage ledger migrate --to/);
  expect((await builds('sqlite')).stdout).toBe('value\r\n1\r\n');
  expect(await ledger('redis', ['check'])).toEqual({ stdout: 'ok\n', stderr: '' });
  await countOne('redis');
  expect((await builds('redis')).stdout).toBe('value\r\n2\r\n');

  await ledger('sqlite', ['rebuild']);
  await countOne('sqlite');
  expect(await builds('sqlite')).toEqual({ stdout: 'value\r\n3\r\n', stderr: '' });
  expect(await ledger('sqlite', ['check'])).toEqual({ stdout: 'ok\n', stderr: '' });
  expect(await refusal('redis')).toContain('has kept its totals itself until now');
}, 300_000);

test.each([
  ['migrate', () => ledger('sqlite', ['migrate', '--to', configOf('redis')])],
  ['rebuild', () => ledger('redis', ['rebuild'])],
])(
  'a start with a Redis that has nothing of the ledger is refused until %s, and nothing is lost',
  async (_name, take) => {
    await countOne('sqlite');
    await countOne('sqlite');
    const message = await refusal('redis');
    expect(message).toMatch(
      /^tonnage: store: the ledger .* has kept its totals itself until now, .* nothing is lost\. /,
    );
    expect(message).toMatch(/tonnage ledger migrate --to this configuration.*tonnage ledger rebuild/);
    expect(await redis.cli('keys', '*')).toBe('');
    const { stdout } = await ledger('redis', ['check'], 1);
    expect(stdout).toMatch(/^Redis: gets nothing of this ledger, .*: take them there with tonnage ledger migrate --to/);
    // The configuration of before is as good as it was.
    await countOne('sqlite');
    await take();
    expect(await ledger('redis', ['check'])).toEqual({ stdout: 'ok\n', stderr: '' });
    // A Redis that is connected late is worth a line, which says that nothing was lost.
    expect(await countOne('redis')).not.toMatch(/ledger_gap|(?<!nothing was )lost/);
    expect((await builds('redis')).stdout).toBe('value\r\n4\r\n');
  },
  300_000,
);
