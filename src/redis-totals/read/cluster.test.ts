import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock as clock } from '../../base/index.ts';
import { parseDay, type UsageQuery } from '../../usage/index.ts';
import { eventually } from '../../../test/support/redis.ts';
import { startRedisCluster, type RedisCluster } from '../../../test/support/redis-cluster.ts';
import { importWave, WaveRefresh } from '../import/index.ts';
import { waveHash } from '../layout.ts';
import { openRedisLink, slotOf, type RedisLink } from '../../redis-link/index.ts';
import { createRedisTotals } from './index.ts';
import { fill, waveCommands, type Counted } from './testing/fill.ts';
import { silent as log } from '../testing/redis-store.ts';

const today = parseDay('2026-11-21') ?? Number.NaN;
const byRepository: UsageQuery = {
  meter: 'pulls',
  window: 'total',
  by: ['org', 'repository'],
  where: {},
  limit: 100,
  offset: 0,
};

let directory: string;
let cluster: RedisCluster;
let link: RedisLink;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-cluster-'));
  cluster = await startRedisCluster(directory);
  link = await openRedisLink({ mode: 'cluster', nodes: cluster.nodes, clock, log });
  await eventually('the link is connected', () => link.status.connected);
});
afterAll(async () => {
  await link.close();
  await cluster.stop();
  rmSync(directory, { recursive: true, force: true });
});

test('imports and reads a Cluster, also while and after the slot of the hash moves', async () => {
  const events = Array.from({ length: 20 }, (_, index): Counted => {
    const dimensions = { org: `org${index % 3}.com`, arch: 'amd64', repository: `r${index % 2}` };
    return { by: 'one', meter: 'pulls', day: today - index, quantity: 1n, dimensions };
  });
  await fill(link, events);
  const ofWave = { meter: 'pulls', day: today - 1, quantity: 5n, dimensions: { org: 'wave.org', arch: 'arm64' } };
  await link.pipeline(waveCommands(ofWave));
  expect(await importWave({ link, clock })).toMatchObject({ meters: [{ meter: 'pulls', organisations: 4, days: 1 }] });

  const totals = createRedisTotals({ link, clock });
  const before = await totals.query(byRepository, today);
  expect(before).toMatchObject({ total: 25n, folded: ['repository'] });
  expect(before.rows[0]).toEqual({ dimensions: { org: 'wave.org', repository: null }, value: 5n });

  const slot = slotOf(waveHash);
  const owner = await cluster.ownerOf(slot);
  const other = cluster.servers.find((server) => server !== owner) ?? owner;
  await cluster.moveSlot(slot, other, {
    afterKeys: async () => expect(await totals.query(byRepository, today)).toEqual(before),
  });
  expect(await totals.query(byRepository, today)).toEqual(before);
  await new WaveRefresh({ link, clock, log }).refresh();
  expect((await importWave({ link, clock })).resumed).toBe(false);
});
