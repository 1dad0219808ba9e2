import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, startRedis, type RedisServer } from '../support/redis.ts';
import { startTonnage, tonnage, type Tonnage } from '../support/tonnage.ts';

const directory = mkdtempSync(join(tmpdir(), 'tonnage-incomplete-'));
let redis: RedisServer;
let server: Tonnage | undefined;

beforeAll(async () => {
  redis = await startRedis(join(directory, 'redis'));
});
afterAll(async () => {
  await server?.program.stop();
  await redis.stop();
  rmSync(directory, { recursive: true, force: true });
});

const start = async (): Promise<Tonnage> =>
  (server = await startTonnage(directory, { upstreams: {}, store: { driver: 'redis', url: redis.url } }));

test('totals that lack counts are refused by every route, unless incomplete ones are taken', async () => {
  const first = await start();
  await tonnage(['event', 'send', '--url', first.url, '--type', 'tonnage.build', '--org', 'a.example', '--id', '1']);
  const usage = (at: Tonnage, words = '') => fetch(`${at.url}/api/v1/usage/builds${words}`);
  await eventually('it is counted', async () => (await (await usage(first)).text()).includes('"total":1'));
  await first.program.stop();
  await redis.cli('flushall');
  const file = new DatabaseSync(join(directory, 'data', 'ledger.sqlite'));
  file.exec('delete from outbox');
  file.close();

  const second = await start();
  await eventually('the loss is known', async () => (await (await usage(second)).text()).includes('ledger_gap'));
  for (const path of ['/api/v1/usage/builds?by=org', '/api/v1/dimensions/org', '/v1alpha3/metrics/builds']) {
    expect((await fetch(second.url + path)).status, path).toBe(503);
  }
  const json = await usage(second, '?incomplete=allow');
  expect([json.status, await json.json()]).toEqual([200, expect.objectContaining({ total: 0, incomplete: true })]);
  const csv = await usage(second, '?incomplete=allow&format=csv');
  expect([csv.status, csv.headers.get('tonnage-incomplete')]).toEqual([200, 'true']);
  expect((await usage(second, '?incomplete=yes')).status).toBe(400);
  expect((await fetch(`${second.url}/readyz`)).status).toBe(200);
  const asked = ['usage', 'builds', '--url', second.url, '--format', 'json'];
  expect((await tonnage(asked, { expected: 1 })).stderr).toContain('totals are incomplete');
  expect((await tonnage([...asked, '--incomplete'])).stdout).toContain('"incomplete":true');
}, 120_000);
