import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTonnage, tonnage, type Tonnage } from '../support/tonnage.ts';

const directory = mkdtempSync(join(tmpdir(), 'tonnage-events-'));
const passwordHash = `sha256:${createHash('sha256').update('secret').digest('hex')}`;
const config = {
  upstreams: {},
  usage: {
    dimensions: ['org', 'arch', 'outcome'],
    meters: { build_seconds: { eventType: 'org.example.build.done', quantity: 'seconds', unit: 's' } },
  },
  users: {
    ci: { passwordHash, rights: ['ingest'] },
    partner: { passwordHash, rights: ['ingest', 'query'], org: 'partner.example' },
    root: { passwordHash, rights: ['ingest', 'query', 'admin'] },
    reader: { passwordHash, rights: ['query'] },
  },
};

let server: Tonnage;
beforeAll(async () => {
  server = await startTonnage(directory, config);
});
afterAll(async () => {
  await server.program.stop('SIGTERM');
  rmSync(directory, { recursive: true, force: true });
});

const authorization = (user: string) => `Basic ${Buffer.from(`${user}:secret`).toString('base64')}`;
const event = (id: string, type: string, data: object) => ({ specversion: '1.0', type, source: '/ci', id, data });

async function send(user: string, events: unknown): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${server.url}/api/v1/events`, {
    method: 'POST',
    headers: {
      authorization: authorization(user),
      'content-type': 'application/cloudevents-batch+json',
      'content-encoding': 'gzip',
    },
    body: gzipSync(JSON.stringify(events)),
  });
  return { status: response.status, body: await response.json() };
}

async function rows(user: string, question: string): Promise<unknown> {
  const headers = { authorization: authorization(user) };
  const response = await fetch(`${server.url}/api/v1/usage/${question}`, { headers });
  return ((await response.json()) as { rows: unknown }).rows;
}

describe('events of other systems', () => {
  test('sent one by one, as plain JSON, are counted once', async () => {
    const body = JSON.stringify(event('plain-1', 'tonnage.scan', { email: 'alice@Example.org', arch: 'x86_64' }));
    const headers = { authorization: authorization('ci'), 'content-type': 'application/json' };
    const once = await fetch(`${server.url}/api/v1/events`, { method: 'POST', headers, body });
    expect(await once.json()).toMatchObject({ accepted: 1 });
    const again = await fetch(`${server.url}/api/v1/events`, { method: 'POST', headers, body });
    expect(await again.json()).toMatchObject({ accepted: 0, duplicate: 1 });
    expect(await rows('reader', 'scans?by=org,arch')).toEqual([{ org: 'example.org', arch: 'amd64', value: 1 }]);
  });

  test('of a meter of the configuration are in the API and on the command line', async () => {
    const seconds = (id: string, amount: number, outcome: string) =>
      event(id, 'org.example.build.done', { org: 'a.org', seconds: amount, outcome });
    await send('ci', [seconds('s1', 90, 'success'), seconds('s2', 30, 'failure')]);
    expect(await rows('reader', 'build_seconds?by=outcome')).toEqual([
      { outcome: 'success', value: 90 },
      { outcome: 'failure', value: 30 },
    ]);
    const file = join(directory, 'tonnage.yaml');
    const { stdout } = await tonnage(['usage', 'build_seconds', '--by', 'org', '--format', 'csv', '--config', file]);
    expect(stdout).toBe('org,value\r\na.org,120\r\n');
    const metrics = await server.metrics();
    expect(metrics).toContain('tonnage_usage_total{meter="build_seconds",org="a.org",arch=""} 120');
  });

  test('are of the organisation of bound credentials, and of no other', async () => {
    const events = [event('p1', 'tonnage.build', {}), event('p2', 'tonnage.build', { org: 'a.org' })];
    expect(await send('partner', events)).toMatchObject({
      status: 200,
      body: { accepted: 1, refused: 1, results: [{}, { code: 'not_your_organisation' }] },
    });
    expect(await rows('root', 'builds?by=org')).toEqual([{ org: 'partner.example', value: 1 }]);
  });

  test('have an identity of their own for each organisation that sends them', async () => {
    const mirror = event('shared-id', 'tonnage.mirror', { org: 'partner.example' });
    expect(await send('ci', [mirror])).toMatchObject({ body: { accepted: 1 } });
    expect(await send('partner', [mirror])).toMatchObject({ body: { accepted: 1 } });
    const void1 = event('v1', 'tonnage.void', { source: '/ci', id: 'shared-id' });
    expect(await send('partner', [void1])).toMatchObject({ body: { accepted: 1 } });
    expect(await rows('root', 'mirrors?by=org')).toEqual([{ org: 'partner.example', value: 1 }]);
    const reaching = { ...void1, id: 'v2', data: { ...void1.data, tenant: null } };
    expect(await send('partner', [reaching])).toMatchObject({ status: 422, body: { refused: 1 } });
    expect(await send('root', [reaching])).toMatchObject({ body: { accepted: 1 } });
    expect(await rows('root', 'mirrors?by=org')).toEqual([]);
  });

  test.each([
    ['reader', 403],
    ['nobody', 401],
  ])('are not taken from %s: %d', async (user, status) => {
    expect(await send(user, [event('x', 'tonnage.build', {})])).toMatchObject({ status, body: { status } });
  });
});
