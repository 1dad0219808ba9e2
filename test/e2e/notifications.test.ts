import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDockerUpstream, type DockerUpstream } from '../support/docker-upstream.ts';
import { layer, pushImage, pushIndex } from '../support/images.ts';
import { scaled } from '../support/long.ts';
import { freePort, sleep } from '../support/program.ts';
import { eventually } from '../support/redis.ts';
import { skopeoPull } from '../support/skopeo.ts';
import { startTonnage, type Tonnage } from '../support/tonnage.ts';

/** Debian's docker-registry tells of pulls that went past the gateway; Harbor and zot by bodies as they write them. */
const passwordHash = `sha256:${createHash('sha256').update('secret').digest('hex')}`;
const authorization = (user: string): string => `Basic ${Buffer.from(`${user}:secret`).toString('base64')}`;

let directory: string;
let port: number;
let server: Tonnage;
let upstream: DockerUpstream;

/** On the same port each time, since that is where notifications go. */
function start(): Promise<Tonnage> {
  return startTonnage(directory, {
    listen: `127.0.0.1:${port}`,
    upstreams: {},
    usage: { dimensions: ['org', 'arch', 'upstream', 'repository', 'tag'] },
    ingest: {
      distribution: { upstream: 'registry.example.org', orgs: { team: 'team.example' } },
      harbor: { ignoreUpstreams: ['behind.example.org'] },
    },
    users: {
      notifier: { passwordHash, rights: ['ingest'] },
      reader: { passwordHash, rights: ['query'] },
    },
  });
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-notifications-'));
  port = await freePort();
  server = await start();
  const url = `${server.url}/api/v1/events/distribution`;
  upstream = await startDockerUpstream(directory, 0, { url, authorization: authorization('notifier') });
  const image = (architecture: string) => ({ architecture, layers: [layer(20_000), layer(300)] });
  const amd64 = await pushImage(upstream.url, 'team/app', 'v1', image('amd64'));
  const arm64 = await pushImage(upstream.url, 'team/app', '', image('arm64'));
  await pushIndex(upstream.url, 'team/app', 'all', [
    { image: amd64, architecture: 'amd64' },
    { image: arm64, architecture: 'arm64' },
  ]);
});
afterAll(async () => {
  await upstream.stop();
  await server.program.stop('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

/** A registry tells when it gets to it, and again after half a second when it was not heard. */
const patience = { timeout: 60_000 };
let pulled = 0;

async function pull(tag: string, options: Parameters<typeof skopeoPull>[2] = {}): Promise<void> {
  const target = join(directory, `pulled-${++pulled}`);
  mkdirSync(target);
  await skopeoPull(`127.0.0.1:${upstream.port}/team/app:${tag}`, target, options);
}

async function rows(question: string): Promise<readonly unknown[]> {
  const headers = { authorization: authorization('reader') };
  const response = await fetch(`${server.url}/api/v1/usage/${question}`, { headers });
  return ((await response.json()) as { rows: readonly unknown[] }).rows;
}

/** Waits until as much was told as is due, and a little longer, so that too much would show. */
async function pullsOnce(due: number): Promise<readonly unknown[]> {
  const deadline = performance.now() + patience.timeout;
  const isTold = async (): Promise<boolean> => JSON.stringify(await rows('pulls')).includes(`"value":${due}}`);
  while (!(await isTold()) && performance.now() < deadline) await sleep(100);
  await sleep(700);
  return rows('pulls?by=org,arch,upstream,repository');
}

const row = (value: number) => ({
  org: 'team.example',
  arch: null,
  upstream: 'registry.example.org',
  repository: 'team/app',
  value,
});

/** GETs of manifests that the registry has answered, by its own log. */
const manifestsServed = (): number =>
  upstream.requests().filter((line) => /^GET \/v2\/team\/app\/manifests\/\S+ 200$/.test(line)).length;

/** Waits for the registry to have written that it has answered so many, which it does afterwards. */
async function expectServed(count: number): Promise<void> {
  await eventually('the registry has said what it served', () => manifestsServed() >= count);
  expect(manifestsServed()).toBe(count);
}

/** What of the notifications was nothing to count, by reason. */
async function ignored(reason: string): Promise<number> {
  const line = new RegExp(
    `^tonnage_ingest_ignored_events_total\\{adapter="distribution",reason="${reason}"\\} (\\d+)`,
    'm',
  );
  return Number(line.exec(await server.metrics())?.[1]);
}

describe('pulls at a registry that tells of them', () => {
  test('are counted once each', async () => {
    await pull('v1');
    await pull('v1');
    await expectServed(2);
    expect(await pullsOnce(2)).toEqual([row(2)]);
    // Its layers and config were pulled, and all was pushed before.
    await eventually('the registry has notified of its blobs', async () => (await ignored('blob')) >= 6);
    await eventually('the registry has notified of the pushes', async () => (await ignored('other_action')) >= 9);
  });

  test('of an index count as the images that were chosen', async () => {
    await pull('all', { all: true });
    await expectServed(5);
    expect(await pullsOnce(4)).toEqual([row(4)]);
    await expect.poll(() => ignored('index'), patience).toBe(1);
  });

  test('that are only looked at do not count', async () => {
    const head = await fetch(`${upstream.url}/v2/team/app/manifests/v1`, {
      method: 'HEAD',
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    expect(head.status).toBe(200);
    await expect.poll(() => ignored('head'), patience).toBe(1);
    expect(await pullsOnce(4)).toEqual([row(4)]);
  });

  test('count once each after Tonnage was down for a while', { timeout: 300_000 }, async () => {
    expect(await server.program.stop('SIGTERM')).toBe(0);
    await pull('v1');
    await pull('all', { all: true });
    await sleep(scaled(3, 20) * 1_000);
    await pull('v1');
    server = await start();
    expect(await pullsOnce(8)).toEqual([row(8)]);
    expect(await rows('pulls?by=tag')).toContainEqual({ tag: 'v1', value: 4 });
  });

  test('count once each when Tonnage is killed while notifications are sent', { timeout: 180_000 }, async () => {
    const pulls = Promise.all(Array.from({ length: 6 }, () => pull('v1')));
    await sleep(150);
    await server.program.stop('SIGKILL');
    await pulls;
    server = await start();
    expect(await pullsOnce(14)).toEqual([row(14)]);
  });
});

async function send(name: string, body: unknown, type: string): Promise<unknown> {
  const response = await fetch(`${server.url}/api/v1/events/${name}`, {
    method: 'POST',
    headers: { authorization: authorization('notifier'), 'content-type': type },
    body: JSON.stringify(body),
  });
  return response.json();
}

describe('webhooks of Harbor', () => {
  const digest = `sha256:${'c'.repeat(64)}`;
  const eventData = (host: string) => ({
    resources: [{ digest, tag: '3.20', resource_url: `${host}/library/alpine:3.20` }],
    repository: {
      date_created: 1_700_000_000,
      name: 'alpine',
      namespace: 'library',
      repo_full_name: 'library/alpine',
      repo_type: 'public',
    },
  });
  const own = (type: string, host: string) => ({
    type,
    occur_at: Math.floor(Date.now() / 1_000),
    operator: 'admin',
    event_data: eventData(host),
  });

  test('in both formats are counted once each', async () => {
    const json = own('PULL_ARTIFACT', 'harbor.example.org');
    const cloudEvent = {
      specversion: '1.0',
      id: '66dfef5d-6e4b-4b0d-a1f9-8a1ed3c8c7a4',
      source: '/projects/2/webhook/policies/1',
      type: 'harbor.artifact.pulled',
      datacontenttype: 'application/json',
      time: new Date().toISOString(),
      data: eventData('harbor.example.org'),
      operator: 'admin',
      requestid: '9b0e2f6f-17a3-4c9a-8f0f-56b3f2f4f001',
    };
    for (const counts of [{ accepted: 1 }, { duplicate: 1 }]) {
      expect(await send('harbor', json, 'application/json')).toMatchObject(counts);
      expect(await send('harbor', cloudEvent, 'application/cloudevents+json')).toMatchObject(counts);
    }
    expect(await rows('pulls?by=upstream,repository,tag&upstream=harbor.example.org')).toEqual([
      { upstream: 'harbor.example.org', repository: 'library/alpine', tag: '3.20', value: 2 },
    ]);
  });

  test.each([
    ['PUSH_ARTIFACT', 'harbor.example.org', 'other_action'],
    ['SCANNING_COMPLETED', 'harbor.example.org', 'other_action'],
    ['PULL_ARTIFACT', 'behind.example.org', 'upstream'],
  ])('%s at %s are ignored: %s', async (type, host, code) => {
    expect(await send('harbor?results=all', own(type, host), 'application/json')).toMatchObject({
      ignored: 1,
      results: [{ status: 'ignored', code }],
    });
  });
});

test('events of zot are ignored but for its scans', async () => {
  const event = (type: string, id: string) => ({
    specversion: '1.0',
    id,
    source: 'zotregistry.dev',
    type: `zotregistry.${type}`,
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data: { name: 'team/app', reference: 'v1', digest: `sha256:${'d'.repeat(64)}`, actor: { name: 'alice' } },
  });
  const types = ['repository.created', 'image.updated', 'image.scanned', 'image.lint_failed', 'image.deleted'];
  const events = types.map((type, index) => event(type, `z-${index}`));
  const batch = 'application/cloudevents-batch+json';
  expect(await send('zot', events, batch)).toMatchObject({ accepted: 1, ignored: 4, refused: 0 });
  expect(await rows('scans?by=repository')).toEqual([{ repository: 'team/app', value: 1 }]);
});
