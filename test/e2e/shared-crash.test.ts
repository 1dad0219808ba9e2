import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EventClient } from '../support/crash-clients.ts';
import { scaled } from '../support/long.ts';
import { freePort, sleep } from '../support/program.ts';
import { eventually, startRedis, type RedisServer } from '../support/redis.ts';
import { startTonnage, type Tonnage } from '../support/tonnage.ts';

let directory: string;
let redis: RedisServer;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-shared-crash-'));
  redis = await startRedis(join(directory, 'redis'), { appendOnly: true });
});
afterAll(async () => {
  await redis.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** An instance that is started again and again on the same port and data. */
class Server {
  readonly url: string;
  readonly #data: string;
  readonly #port: number;
  #running: Tonnage | undefined;

  constructor(name: string, port: number) {
    this.#data = join(directory, name);
    this.#port = port;
    this.url = `http://127.0.0.1:${port}`;
  }

  get running(): Tonnage {
    if (!this.#running) throw new Error('the server is not running');
    return this.#running;
  }

  async start(): Promise<void> {
    this.#running = await startTonnage(this.#data, {
      listen: `127.0.0.1:${this.#port}`,
      store: { driver: 'redis', url: redis.url },
      usage: { dedupe: 'shared' },
    });
  }

  async kill(): Promise<void> {
    const { child } = this.running.program;
    child.kill('SIGKILL');
    await once(child, 'close');
  }

  async stop(): Promise<void> {
    await this.#running?.program.stop('SIGKILL');
  }

  async number(metric: string): Promise<number> {
    const line = new RegExp(`^${metric} (\\d+)$`, 'm').exec(await this.running.metrics());
    return Number(line?.[1]);
  }

  async counted(): Promise<ReadonlyMap<string, number>> {
    // The connection that reads totals may find Redis a moment after the one that delivers.
    let answer: unknown;
    await eventually('totals can be read', async () => {
      const response = await fetch(`${this.url}/api/v1/usage/builds?by=org`);
      answer = await response.json();
      return response.ok;
    });
    const { rows } = answer as { rows: readonly { org: string; value: number }[] };
    return new Map(rows.map(({ org, value }) => [org, value]));
  }

  async untilCounted(): Promise<void> {
    // Of one exposition: what has just been claimed is in the outbox next.
    const open = ['tonnage_ledger_pending_claims', 'tonnage_ledger_outbox_batches'];
    await eventually('everything is claimed and delivered', async () => {
      const lines = new Set((await this.running.metrics()).split('\n'));
      return open.every((name) => lines.has(`${name} 0`));
    });
  }
}

test(
  'two instances, killed again and again, that are sent the same events: each counts once',
  async () => {
    const kills = scaled(4, 30);
    const servers = [new Server('one', await freePort()), new Server('two', await freePort())];
    const names = ['first', 'second', 'third'];
    // The same names send the same events, to each of the two.
    const clients = servers.flatMap(({ url }) => names.map((name) => new EventClient(url, name)));
    try {
      for (const server of servers) await server.start();
      for (const client of clients) client.start();
      for (let kill = 0; kill < kills; kill++) {
        await sleep(50 + Math.random() * 250);
        const server = servers[kill % 2];
        await server?.kill();
        if (kill % 3 === 0) await redis.kill();
        if (kill % 3 === 0) await redis.restart();
        await server?.start();
      }
      await Promise.all(clients.map((client) => client.finish()));
      for (const server of servers) await server.untilCounted();

      const expected = new Map<string, number>();
      for (const name of names)
        addMost(
          expected,
          clients.filter((client) => client.name === name),
        );
      for (const server of servers) expect(await server.counted()).toEqual(expected);
      expect(clients.map(({ forgotten }) => forgotten)).toEqual(clients.map(() => 0));
    } finally {
      for (const server of servers) await server.stop();
    }
  },
  scaled(300_000, 1_800_000),
);

/** Two clients with the same name have sent the same events, one of them some more. */
function addMost(sums: Map<string, number>, clients: readonly EventClient[]): void {
  const orgs = new Set(clients.flatMap(({ expected }) => [...expected.keys()]));
  for (const org of orgs) {
    const most = Math.max(...clients.map(({ expected }) => expected.get(org) ?? 0));
    sums.set(org, (sums.get(org) ?? 0) + most);
  }
}

test('while Redis is away events are taken and wait; what both were sent counts once when it is back', async () => {
  await redis.cli('flushall');
  const servers = [new Server('three', await freePort()), new Server('four', await freePort())];
  const [one, two] = servers;
  try {
    await one?.start();
    await eventually('the secret is known', () => isReady(one));
    await redis.kill();
    // Its ledger has never heard of the secret: no identity can be hashed as the other one does it.
    await two?.start();
    expect(await isReady(two)).toBe(false);
    expect(await send(two, 1, 10)).toBe(503);
    expect(await send(one, 1, 10)).toBe(200);
    expect(await one?.number('tonnage_ledger_pending_claims')).toBe(10);
    const ready = await fetch(`${one?.url}/readyz`);
    expect(ready.status).toBe(200);
    expect(await ready.text()).toContain('10 events wait for their claim in Redis');
    // Killed while it owes them.
    await one?.kill();
    await one?.start();
    expect(await send(one, 6, 15)).toBe(200);
    await redis.restart();
    await eventually('the other one is ready', () => isReady(two));
    expect(await send(two, 1, 20)).toBe(200);
    for (const server of servers) await server.untilCounted();
    for (const server of servers) expect(await server.counted()).toEqual(new Map([['a.example', 20]]));
    const counters = ['tonnage_ledger_shared_duplicate_events_total', 'tonnage_ledger_duplicate_events_total'];
    const [shared = 0, own = 0] = await Promise.all(counters.map((name) => sumOf(servers, name)));
    expect([shared, own]).toEqual([15, 5]);
  } finally {
    for (const server of servers) await server.stop();
  }
});

async function sumOf(servers: readonly Server[], metric: string): Promise<number> {
  const counts = await Promise.all(servers.map((server) => server.number(metric)));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function isReady(server: Server | undefined): Promise<boolean> {
  const response = await fetch(`${server?.url}/readyz`);
  await response.arrayBuffer();
  return response.status === 200;
}

/** Sends the events with these numbers, and answers the status. */
async function send(server: Server | undefined, first: number, last: number): Promise<number> {
  const time = new Date().toISOString();
  const events = Array.from({ length: last - first + 1 }, (_, index) => ({
    specversion: '1.0',
    type: 'tonnage.build',
    source: 'test',
    id: String(first + index),
    time,
    data: { org: 'a.example' },
  }));
  const response = await fetch(`${server?.url}/api/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents-batch+json' },
    body: JSON.stringify(events),
  });
  await response.arrayBuffer();
  return response.status;
}
