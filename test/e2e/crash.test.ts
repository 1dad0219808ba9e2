import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { EventClient, PullClient } from '../support/crash-clients.ts';
import { startDockerUpstream, type DockerUpstream } from '../support/docker-upstream.ts';
import { layer, pushImage } from '../support/images.ts';
import { scaled } from '../support/long.ts';
import { freePort, sleep } from '../support/program.ts';
import { eventually, startRedis, type RedisServer } from '../support/redis.ts';
import { startTonnage, type Tonnage } from '../support/tonnage.ts';

let directory: string;
let upstream: DockerUpstream;
let redis: RedisServer;
let server: Tonnage | undefined;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-crash-'));
  upstream = await startDockerUpstream(directory);
  await pushImage(upstream.url, 'app', 'v1', { architecture: 'arm64', layers: [layer(1_000)] });
  redis = await startRedis(join(directory, 'redis'), { appendOnly: true });
});
afterEach(async () => {
  await server?.program.stop('SIGKILL');
  server = undefined;
});
afterAll(async () => {
  await redis.stop();
  await upstream.stop();
  rmSync(directory, { recursive: true, force: true });
});

interface Usage {
  readonly rows: readonly { readonly org: string; readonly value: number }[];
  readonly total: number;
}

async function usage(url: string, meter: string): Promise<Usage> {
  const response = await fetch(`${url}/api/v1/usage/${meter}?by=org`);
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  return (await response.json()) as Usage;
}

/** Resolves when everything that is committed is in the totals. */
async function untilDelivered(running: Tonnage): Promise<void> {
  const isEmpty = async (): Promise<boolean> => /^tonnage_ledger_outbox_batches 0$/m.test(await running.metrics());
  await eventually('the outbox is empty', isEmpty);
}

test.each(['sqlite', 'redis'])(
  'killed again and again while clients send events and pull: nothing is lost and nothing counted twice (%s)',
  async (driver) => {
    const kills = scaled(4, 40);
    const data = join(directory, driver);
    const port = await freePort();
    const config = {
      listen: `127.0.0.1:${port}`,
      upstreams: { lab: { url: upstream.url } },
      store: driver === 'redis' ? { driver, url: redis.url } : { driver },
    };
    const url = `http://127.0.0.1:${port}`;
    const events = ['first', 'second', 'third'].map((name) => new EventClient(url, name));
    const pulls = Array.from({ length: 4 }, () => new PullClient(`${url}/v2/lab/app/manifests/v1`));
    for (const client of [...events, ...pulls]) client.start();

    for (let kill = 0; kill < kills; kill++) {
      server = await startTonnage(data, config);
      // From before the first answer to well within the traffic.
      await sleep(Math.random() * 250);
      server.program.child.kill('SIGKILL');
      await once(server.program.child, 'close');
    }
    server = await startTonnage(data, config);
    // However short the lives before were, and however slow the disk.
    await eventually('more pulls are answered than there were lives', () => sum(pulls, 'answered') > kills);
    await Promise.all([...events, ...pulls].map((client) => client.finish()));
    await untilDelivered(server);

    const expected = new Map<string, number>();
    for (const client of events) {
      for (const [org, value] of client.expected) expected.set(org, (expected.get(org) ?? 0) + value);
    }
    const { rows } = await usage(url, 'builds');
    expect(new Map(rows.map(({ org, value }) => [org, value]))).toEqual(expected);
    expect(driver === 'redis' ? await waveSums([...expected.keys()]) : expected).toEqual(expected);
    expect(events.map(({ forgotten }) => forgotten)).toEqual([0, 0, 0]);
    expect(sum(events, 'resends')).toBeGreaterThanOrEqual(kills);

    const counted = (await usage(url, 'pulls')).total;
    expect(counted).toBeGreaterThanOrEqual(sum(pulls, 'answered'));
    expect(counted).toBeLessThanOrEqual(sum(pulls, 'sent'));
  },
  scaled(300_000, 1_800_000),
);

/** What Wave's own fields say of the organisations' builds. */
async function waveSums(orgs: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const values = await redis.cli('hmget', 'metrics/v1', ...orgs.map((org) => `builds/o/${org}`));
  const numbers = values.trim().split('\n').map(Number);
  return new Map(orgs.map((org, index) => [org, numbers[index] ?? 0]));
}

function sum<K extends string>(clients: readonly Readonly<Record<K, number>>[], key: K): number {
  return clients.reduce((total, client) => total + client[key], 0);
}
