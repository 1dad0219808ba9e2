import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { eventually, startRedis, type RedisServer } from '../support/redis.ts';
import { startTonnage, tonnage, type Tonnage } from '../support/tonnage.ts';

const directory = mkdtempSync(join(tmpdir(), 'tonnage-care-'));
const data = join(directory, 'data');
const withSqlite = join(directory, 'sqlite.yaml');
let redis: RedisServer;
let server: Tonnage | undefined;
let sent = 0;

beforeAll(async () => {
  redis = await startRedis(join(directory, 'redis'));
  writeFileSync(withSqlite, stringify({ data, upstreams: {}, listen: '127.0.0.1:0' }));
});
afterEach(() => stop());
afterAll(async () => {
  await redis.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** The configuration file that `startTonnage` writes, and `configure` without starting anything. */
const withRedis = join(directory, 'tonnage.yaml');

function storeOf(driver: 'redis' | 'sqlite') {
  return driver === 'redis' ? { driver, url: redis.url } : { driver };
}

function configure(driver: 'redis' | 'sqlite'): void {
  writeFileSync(withRedis, stringify({ data, upstreams: {}, store: storeOf(driver) }));
}

async function start(driver: 'redis' | 'sqlite' = 'redis'): Promise<Tonnage> {
  return (server = await startTonnage(directory, { upstreams: {}, store: storeOf(driver) }));
}

async function stop(): Promise<void> {
  await server?.program.stop();
  server = undefined;
}

/** Sends events of these organisations, and waits until they are in the totals. */
async function count({ url }: Tonnage, ...orgs: readonly string[]): Promise<void> {
  const events = orgs.map((org) => {
    const id = String((sent += 1));
    return { specversion: '1.0', type: 'tonnage.build', source: '/ci', id, data: { org, arch: 'amd64' } };
  });
  const headers = { 'content-type': 'application/cloudevents-batch+json' };
  const answer = await fetch(`${url}/api/v1/events`, { method: 'POST', headers, body: JSON.stringify(events) });
  expect(await answer.json()).toMatchObject({ accepted: orgs.length });
}

async function builds({ url }: Tonnage): Promise<Readonly<Record<string, number>>> {
  const answer = await fetch(`${url}/api/v1/usage/builds?by=org`);
  const { rows } = (await answer.json()) as { rows: readonly { org: string | null; value: number }[] };
  return Object.fromEntries(rows.map(({ org, value }) => [org ?? '-', value]));
}

async function expectBuilds(running: Tonnage, expected: Readonly<Record<string, number>>): Promise<void> {
  await eventually('all is counted', async () => JSON.stringify(await builds(running)) === JSON.stringify(expected));
}

const ledger = (args: readonly string[], expected = 0, config = withRedis) =>
  tonnage(['--config', config, 'ledger', ...args], { expected });

test('a ledger and its Redis are checked, taken back, taken elsewhere, and made to forget', async () => {
  const first = await start();
  await count(first, 'a.example', 'a.example', 'b.example');
  await expectBuilds(first, { 'a.example': 2, 'b.example': 1 });
  expect(await ledger(['check'])).toMatchObject({ stdout: 'ok\n' });
  const backup = join(directory, 'backup.sqlite');
  await ledger(['backup', backup]);
  await count(first, 'c.example');
  await expectBuilds(first, { 'a.example': 2, 'b.example': 1, 'c.example': 1 });
  expect((await ledger(['rebuild'], 1)).stderr).toContain('locked by another');
  await stop();

  const restored = await ledger(['restore', backup]);
  expect(restored.stderr).toContain('run tonnage ledger rebuild before you start the server');
  const behind = await start();
  await behind.program.until(/"error":"[^"]*run tonnage ledger rebuild/);
  await stop();
  const rebuilt = await ledger(['rebuild']);
  expect(rebuilt.stderr).toMatch(/^tonnage: Redis: 1 days of meters written, 1 sums corrected$/m);
  expect(await ledger(['check'])).toMatchObject({ stdout: 'ok\n' });
  const second = await start();
  await expectBuilds(second, { 'a.example': 2, 'b.example': 1 });
  await count(second, 'b.example');
  await expectBuilds(second, { 'a.example': 2, 'b.example': 2 });
  await stop();

  expect((await ledger(['migrate', '--to', join(directory, 'absent.yaml')], 1)).stderr).toContain('absent.yaml');
  const taken = await ledger(['migrate', '--to', withSqlite]);
  expect(taken.stdout).toBe(
    'ok; 0 counts of others moved; totals are now in sqlite: start the server with that configuration\n',
  );
  const third = await start('sqlite');
  await count(third, 'a.example');
  await expectBuilds(third, { 'a.example': 3, 'b.example': 2 });
  await stop();

  configure('redis');
  await ledger(['migrate', '--to', withRedis], 0, withSqlite);
  expect((await ledger(['erase'], 2)).stderr).toContain('expected one of --org and --user');
  const asked = await ledger(['erase', '--org', 'a.example'], 2);
  expect(asked.stderr).toContain('3 builds (1 sums of 1 series) of the organisation a.example will count for no organ');
  expect(asked.stderr).toContain('add --yes to continue');
  expect(await ledger(['erase', '--org', 'a.example', '--yes'])).toMatchObject({ stdout: 'ok\n' });
  expect(await ledger(['check'])).toMatchObject({ stdout: 'ok\n' });
  const files = readdirSync(data).filter((name) => /^ledger\.sqlite(-|$)/.test(name));
  expect(files).toContain('ledger.sqlite');
  expect(files.filter((name) => readFileSync(join(data, name)).includes('a.example'))).toEqual([]);
  expect(await redis.cli('hkeys', 'metrics/v1')).not.toContain('a.example');
  const last = await start();
  await expectBuilds(last, { '-': 3, 'b.example': 2 });
}, 300_000);
