import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRedis, type RedisServer } from '../../test/support/redis.ts';
import { countedDirectory } from './testing/counted.ts';
import { run } from './testing/terminal.ts';

let directory: string;
let data: string;
let redis: RedisServer;
let config: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-cli-'));
  redis = await startRedis(join(directory, 'redis'));
  // What this ledger has counted itself, none of which has ever got to Redis.
  data = await countedDirectory([{ meter: 'pulls', dimensions: { org: 'own.org' }, quantity: 7n }]);
  config = join(directory, 'tonnage.yaml');
  writeFileSync(config, `data: ${data}\nstore: { driver: redis, url: "${redis.url}", besideWave: true }\n`);
});
afterAll(async () => {
  await redis.stop();
  rmSync(directory, { recursive: true });
  rmSync(data, { recursive: true });
});

test('with totals in Redis it is Redis that is asked, not the file of the ledger', async () => {
  const today = new Date().toISOString().slice(0, 10);
  const fields = [`pulls/d/${today}`, `pulls/o/wave.org`, `pulls/o/wave.org/d/${today}`];
  for (const field of fields) await redis.cli('hincrby', 'metrics/v1', field, '5');
  await redis.cli('sadd', '{metrics/v1}:index:orgs:pulls', 'wave.org');
  const { code, stdout, stderr } = await run(['usage', 'pulls', '--by', 'org', '--config', config, '--format', 'csv']);
  expect([code, stdout, stderr]).toEqual([0, 'org,value\r\nwave.org,5\r\n', '']);
});

test('an organisation that Wave counts keeps its letters, and others are asked for in lower case', async () => {
  for (const [name, quantity] of [
    ['Two.Org', '2'],
    ['two.org', '3'],
  ] as const) {
    for (const field of [`builds/o/${name}`, `builds/o/${name}/d/${new Date().toISOString().slice(0, 10)}`]) {
      await redis.cli('hincrby', 'metrics/v1', field, quantity);
    }
    await redis.cli('sadd', '{metrics/v1}:index:orgs:builds', name);
  }
  const totalOf = async (org: string) =>
    (await run(['usage', 'builds', '--org', org, '--config', config, '--format', 'csv'])).stdout;
  expect(await totalOf('Two.Org')).toBe('value\r\n2\r\n');
  expect(await totalOf('two.org')).toBe('value\r\n3\r\n');
  expect(await totalOf('TWO.org')).toBe('value\r\n3\r\n');
  const { code, stderr } = await run(['usage', 'builds', '--org', 'two org', '--config', config]);
  expect([code, stderr]).toEqual([2, expect.stringMatching(/^tonnage: org: expected an organisation .*"two org"\n$/)]);
});

test('Redis being away is a failure that says so', async () => {
  await redis.stop();
  const { code, stdout, stderr } = await run(['usage', 'pulls', '--config', config]);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/^tonnage: .*127\.0\.0\.1:\d+.*\n$/);
});
