import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { TestGateway } from './testing/gateway.ts';
import { bytesOf, content, image, type Content, type TestImage } from './testing/images.ts';
import { TestUpstream } from './testing/upstream.ts';
import { patiently, until } from './testing/until.ts';

const open = image({ name: 'open' });

let lab: TestUpstream;
let other: TestUpstream;
let gateway: TestGateway;
let count = 0;
let secret: TestImage;
let layer: Content;

beforeAll(async () => {
  lab = await TestUpstream.start();
  other = await TestUpstream.start();
  lab.put('public', open, 'v1');
  other.put('public', open, 'v1');
  gateway = await TestGateway.start({ lab, other });
});

beforeEach(async () => {
  if (!lab.isRunning) lab = await TestUpstream.start(lab.port);
  lab.reset();
  secret = image({ name: `secret ${++count}`, layers: [bytesOf(3 * 1024 * 1024, count)] });
  layer = secret.blobs[1] ?? secret;
  lab.put('public', open, 'v1');
  lab.put('private', secret, 'v1');
  await gateway.reset();
  gateway.clock.advance(60_000);
});

afterAll(async () => {
  await gateway.remove();
  await lab.stop();
  await other.stop();
});

const elsewhere = ['/v2/public', '/v2/lab/public', '/v2/other/public', '/v2/nowhere'];

describe('a private layer that is cached', () => {
  beforeEach(async () => {
    await gateway.get('/v2/private/manifests/v1');
    await gateway.get(`/v2/private/blobs/${layer.digest.text}`);
    const files = (): Promise<string[]> => readdir(join(gateway.directory, 'blobs/sha256'));
    await until('it is cached', async () => (await files()).includes(layer.digest.hex));
  });

  it.each(elsewhere)('is not served under %s, whose upstream does not have it', async (repository) => {
    const path = `${repository}/blobs/${layer.digest.text}`;
    for (const method of ['GET', 'HEAD']) expect((await gateway.ask(method, path)).status).toBe(404);
    expect((await gateway.get(path, { range: 'bytes=0-9' })).status).toBe(404);
    expect((await gateway.get(path, { 'if-none-match': `"${layer.digest.text}"` })).status).toBe(404);
  });

  it.each(elsewhere)('has a manifest that is not served under %s either', async (repository) => {
    expect((await gateway.get(`${repository}/manifests/${secret.digest.text}`)).status).toBe(404);
  });

  it('is not served under another repository while nobody can be asked', async () => {
    await lab.stop();
    expect((await gateway.get(`/v2/public/blobs/${layer.digest.text}`)).status).toBe(502);
    expect((await gateway.get(`/v2/private/blobs/${layer.digest.text}`)).status).toBe(200);
  });

  it('is served from the cache where the upstream confirms it, and asked for once', async () => {
    lab.putBlob('public', layer);
    const path = `/v2/public/blobs/${layer.digest.text}`;
    for (let round = 0; round < 2; round++) expect((await gateway.get(path)).body.equals(layer.body)).toBe(true);
    expect(lab.asked(path)).toEqual([`HEAD ${path}`]);
  });
});

describe.each([403, 404, 405])('where HEAD of blobs is answered with %s, a cached layer', (status) => {
  const path = (repository: string): string => `/v2/${repository}/blobs/${layer.digest.text}`;

  beforeEach(async () => {
    lab.behaviour.intercept = (request, response) => {
      if (request.method !== 'HEAD' || request.url?.includes('/blobs/') !== true) return false;
      response.writeHead(status).end();
      return true;
    };
    await gateway.get(path('private'));
    const files = (): Promise<string[]> => readdir(join(gateway.directory, 'blobs/sha256'));
    await until('it is cached', async () => (await files()).includes(layer.digest.hex));
  });

  it('is served under another repository of the upstream that has it, and under no other', async () => {
    lab.putBlob('shared', layer);
    expect((await gateway.get(path('shared'))).body.equals(layer.body)).toBe(true);
    for (const method of ['GET', 'HEAD']) expect((await gateway.ask(method, path('public'))).status).toBe(404);
  });

  it('has its HEAD answered, with its length, under a repository that nothing is known of', async () => {
    lab.putBlob('fresh', layer);
    const answer = await gateway.head(path('fresh'));
    expect([answer.status, answer.headers['content-length']]).toEqual([200, String(layer.body.byteLength)]);
  });
});

it('HEAD of a blob that a manifest of the repository names is answered with the size that it says', async () => {
  await gateway.get('/v2/private/manifests/v1');
  const answer = await gateway.head(`/v2/private/blobs/${layer.digest.text}`);
  expect([answer.status, answer.headers['content-length']]).toEqual([200, String(layer.body.byteLength)]);
  expect(lab.asked('/blobs/')).toEqual(lab.asked(secret.blobs[0]?.digest.text ?? ''));
});

describe('a private layer on its way', () => {
  it('is not served to readers of another repository', async () => {
    let openGate = (): void => {};
    lab.behaviour.gate = { at: 1024 * 1024, opened: new Promise((resolve) => (openGate = resolve)) };
    const whole = gateway.get(`/v2/private/blobs/${layer.digest.text}`);
    await expect.poll(() => lab.asked('/blobs/'), patiently).toHaveLength(1);
    expect((await gateway.get(`/v2/public/blobs/${layer.digest.text}`)).status).toBe(404);
    const others = await Promise.all(
      Array.from({ length: 20 }, () => gateway.get(`/v2/nowhere/blobs/${layer.digest.text}`)),
    );
    expect(new Set(others.map(({ status }) => status))).toEqual(new Set([404]));
    openGate();
    expect((await whole).body.equals(layer.body)).toBe(true);
  });
});

it('a private layer is not served to whoever asks for it at the same moment as one who may', async () => {
  await gateway.get('/v2/private/manifests/v1');
  const wanted = ['private', 'public', 'private', 'nowhere', 'public', 'private'];
  const answers = await Promise.all(wanted.map((name) => gateway.get(`/v2/${name}/blobs/${layer.digest.text}`)));
  expect(answers.map(({ status }) => status)).toEqual([200, 404, 200, 404, 404, 200]);
});

it('fifty readers of a blob that no manifest names cost the upstream one request', async () => {
  const blob = content('', Buffer.from('named by nobody'));
  lab.putBlob('public', blob);
  const path = `/v2/public/blobs/${blob.digest.text}`;
  const answers = await Promise.all(Array.from({ length: 50 }, () => gateway.get(path)));
  expect(answers.every(({ body }) => body.equals(blob.body))).toBe(true);
  expect(lab.asked(path)).toEqual([`GET ${path}`]);
});
