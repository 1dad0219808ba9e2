import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startDockerUpstream, type DockerUpstream } from '../support/docker-upstream.ts';
import { layer, pushImage } from '../support/images.ts';
import { liftLimit, limitedNode } from '../support/limited.ts';
import { sleep } from '../support/program.ts';
import { eventually, startRedis, type RedisServer } from '../support/redis.ts';
import { startTonnage, type Tonnage } from '../support/tonnage.ts';

let directory: string;
let upstream: DockerUpstream;
let server: Tonnage | undefined;
let redis: RedisServer | undefined;
let next = 0;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-full-'));
  upstream = await startDockerUpstream(directory);
  await pushImage(upstream.url, 'app', 'v1', { architecture: 'arm64', layers: [layer(1_000)] });
});
afterEach(async () => {
  await server?.program.stop('SIGKILL');
  await redis?.stop();
  server = redis = undefined;
});
afterAll(async () => {
  await upstream.stop();
  rmSync(directory, { recursive: true, force: true });
});

interface Sent {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/**
 * Sends builds of as many repositories as there are events, so that each takes room; answers the status and the body. The
 * same ones are sent again while the disk is only slow, or a batch before them has just been refused.
 */
async function send(running: Tonnage, events: number): Promise<Sent> {
  const body = Array.from({ length: events }, () => {
    const number = ++next;
    const data = { org: 'a.org', arch: 'amd64', repository: `team/${'r'.repeat(100)}${number}` };
    return { specversion: '1.0', type: 'tonnage.build', source: 'test', id: `${number}`, data };
  });
  let answer = await sendOnce(running, body);
  for (let tries = 0; tries < 400 && isPassing(answer); tries++) {
    await sleep(25);
    answer = await sendOnce(running, body);
  }
  return answer;
}

const isPassing = ({ status, body }: Sent): boolean =>
  status !== 200 && /^(the ledger cannot commit right now|the commit did not end within)/.test(String(body['detail']));

async function sendOnce({ url }: Tonnage, body: readonly unknown[]): Promise<Sent> {
  const response = await fetch(`${url}/api/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents-batch+json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** Sends batches until there is no room for one; answers how many events were accepted before, and the refusal. */
async function fill(running: Tonnage, size: number): Promise<{ accepted: number; refusal: Record<string, unknown> }> {
  let accepted = 0;
  for (let tries = 0; tries < 1_000; tries++) {
    const { status, body } = await send(running, size);
    if (status === 200) accepted += size;
    else return { accepted, refusal: body };
  }
  throw new Error('it never was full');
}

async function pull({ url }: Tonnage): Promise<number> {
  const response = await fetch(`${url}/v2/lab/app/manifests/v1`);
  await response.arrayBuffer();
  return response.status;
}

async function total({ url }: Tonnage, meter: string): Promise<number> {
  const response = await fetch(`${url}/api/v1/usage/${meter}`);
  return ((await response.json()) as { total: number }).total;
}

async function readiness({ url }: Tonnage): Promise<{ status: number; checks: Record<string, string> }> {
  const response = await fetch(`${url}/readyz`);
  const { checks } = (await response.json()) as { checks: Record<string, string> };
  return { status: response.status, checks };
}

test('a full disk: events are refused, pulls are served and counted once there is room again', async () => {
  const config = { upstreams: { lab: { url: upstream.url } }, usage: { commitWait: '200ms' } };
  const running = await startTonnage(join(directory, 'disk'), config, limitedNode(directory, 3_000_000));
  server = running;
  expect(await pull(running)).toBe(200);
  const { accepted, refusal } = await fill(running, 500);
  expect(refusal).toMatchObject({ code: 'ledger_unavailable' });
  // A write smaller than a batch of events may still succeed.
  let pulls = 1;
  await eventually('a pull does not fit any more', async () => {
    pulls++;
    expect(await pull(running)).toBe(200);
    return (await readiness(running)).status === 503;
  });
  expect((await readiness(running)).checks['ledger']).toMatch(/^\d+ events cannot be saved: /);

  await liftLimit(running.pid);
  await eventually('it is ready', async () => (await readiness(running)).status === 200);
  await eventually('all pulls are counted', async () => (await total(running, 'pulls')) === pulls);
  const counted = await total(running, 'builds');
  // The last try of the rejected batch may have stored it. The sender does not know that; a resend would be a duplicate.
  expect([accepted, accepted + 500]).toContain(counted);
  expect((await send(running, 10)).status).toBe(200);
});

test('too many keys of events: more are refused, and pulls are counted', async () => {
  const config = { upstreams: { lab: { url: upstream.url } }, usage: { heldKeysMax: 1_000 } };
  const running = await startTonnage(join(directory, 'keys'), config);
  server = running;
  const known = Array.from({ length: 1_000 }, (_, index) => {
    return { specversion: '1.0', type: 'tonnage.build', source: 'keys', id: `${index}`, data: { org: 'a.org' } };
  });
  expect(await sendOnce(running, known)).toMatchObject({ status: 200, body: { accepted: 1_000 } });
  expect(await sendOnce(running, [{ ...known[0], id: 'one more' }])).toMatchObject({
    status: 503,
    body: { code: 'ledger_unavailable', detail: expect.stringContaining('1000 at most (usage.heldKeysMax)') },
  });
  expect(await pull(running)).toBe(200);
  await eventually('the pull is counted', async () => (await total(running, 'pulls')) === 1);
  expect(await total(running, 'builds')).toBe(1_000);
});

test('a full outbox: events are refused, pulls are served; everything arrives when Redis is back', async () => {
  const running = await startWithRedis('outbox', { outboxMax: '1MiB', outboxKeepBytes: '512KiB' });
  await redis?.kill();
  expect(await pull(running)).toBe(200);
  const many = await fill(running, 500);
  const few = await fill(running, 1);
  expect(many.refusal).toMatchObject({
    code: 'ledger_unavailable',
    detail: expect.stringMatching(/^the outbox holds \d+ bytes/),
  });
  let pulls = 1;
  await eventually('a pull does not fit any more', async () => {
    pulls++;
    expect(await pull(running)).toBe(200);
    return (await readiness(running)).status === 503;
  });
  expect(await readiness(running)).toMatchObject({
    status: 503,
    checks: {
      ledger: expect.stringMatching(/events cannot be saved: the outbox holds/),
      store: expect.stringMatching(/^\d+ (batch|batches) waits? in the outbox, the oldest for \d+ s: /),
    },
  });

  await redis?.restart();
  await eventually('it is ready', async () => (await readiness(running)).status === 200);
  await eventually('all is delivered', async () => (await total(running, 'pulls')) === pulls);
  expect(await total(running, 'builds')).toBe(many.accepted + few.accepted);
});

test('Redis away: events are taken, the outbox fills, and it stays ready', async () => {
  const running = await startWithRedis('away', {});
  await redis?.kill();
  expect((await send(running, 100)).status).toBe(200);
  expect(await pull(running)).toBe(200);
  await eventually('the check says so', async () => (await readiness(running)).checks['store'] !== 'ok');
  expect((await readiness(running)).status).toBe(200);
  const response = await fetch(`${running.url}/api/v1/usage/builds`);
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ code: 'redis_unavailable' });
  expect(await running.metrics()).toMatch(/^tonnage_ledger_outbox_batches [1-9]/m);
  await redis?.restart();
  await eventually('all is delivered', async () => (await total(running, 'builds').catch(() => 0)) === 100);
});

async function startWithRedis(name: string, store: Record<string, string>): Promise<Tonnage> {
  redis = await startRedis(join(directory, name, 'redis'), { appendOnly: true });
  server = await startTonnage(join(directory, name), {
    upstreams: { lab: { url: upstream.url } },
    store: { driver: 'redis', url: redis.url, ...store },
    usage: { commitWait: '500ms' },
  });
  return server;
}
