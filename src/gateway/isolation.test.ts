import { readdir } from 'node:fs/promises';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { limits } from '../base/index.ts';
import { TestGateway } from './testing/gateway.ts';
import { bytesOf, content, descriptor, image, types, type Content, type TestImage } from './testing/images.ts';
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
  other.reset();
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

/** Answers every HEAD with 200. */
function answerHead(request: IncomingMessage, response: ServerResponse, headers: OutgoingHttpHeaders): boolean {
  if (request.method !== 'HEAD') return false;
  response.writeHead(200, headers).end();
  return true;
}

const elsewhere = ['/v2/public', '/v2/lab/public', '/v2/other/public', '/v2/nowhere'];

describe('a cached private layer', () => {
  beforeEach(async () => {
    await gateway.get('/v2/private/manifests/v1');
    await gateway.get(`/v2/private/blobs/${layer.digest.text}`);
    const files = (): Promise<string[]> => readdir(join(gateway.directory, 'blobs/sha256'));
    await until('it is cached', async () => (await files()).includes(layer.digest.hex));
  });

  it.each(elsewhere)('is not served under %s, which does not have it', async (repository) => {
    const path = `${repository}/blobs/${layer.digest.text}`;
    for (const method of ['GET', 'HEAD']) expect((await gateway.ask(method, path)).status).toBe(404);
    expect((await gateway.get(path, { range: 'bytes=0-9' })).status).toBe(404);
    expect((await gateway.get(path, { 'if-none-match': `"${layer.digest.text}"` })).status).toBe(404);
  });

  it.each(elsewhere)('has a manifest that is not served under %s', async (repository) => {
    expect((await gateway.get(`${repository}/manifests/${secret.digest.text}`)).status).toBe(404);
  });

  it.each(['/v2/public', '/v2/other/public'])(
    'is not served under %s, even if a manifest there names it',
    async (path) => {
      const named = { ...layer, body: layer.body.subarray(0, 100) };
      const claiming = content(types.ociImage, {
        schemaVersion: 2,
        mediaType: types.ociImage,
        config: descriptor(open.blobs[0] ?? open),
        layers: [descriptor(named)],
      });
      for (const upstream of [lab, other]) upstream.put('public', claiming, 'claims');
      const address = `${path}/blobs/${layer.digest.text}`;
      expect((await gateway.get(`${path}/manifests/claims`)).status).toBe(200);
      const head = await gateway.head(address);
      expect([head.status, head.headers['content-length']]).toEqual([200, '100']);
      for (const headers of [
        {},
        { range: 'bytes=0-9' },
        { range: 'bytes=-5' },
        { 'if-range': `"${layer.digest.text}"` },
      ]) {
        const answer = await gateway.get(address, headers);
        expect([answer.status, answer.headers['content-range'], answer.headers.etag]).toEqual([
          404,
          undefined,
          undefined,
        ]);
      }
    },
  );

  it('is not served under another upstream that claims to have every blob', async () => {
    const headers = { 'content-length': layer.body.byteLength };
    other.behaviour.intercept = (request, response) => answerHead(request, response, headers);
    const path = `/v2/other/public/blobs/${layer.digest.text}`;
    expect((await gateway.head(path)).status).toBe(200);
    expect((await gateway.get(path)).status).toBe(404);
    expect((await gateway.get(path, { range: 'bytes=0-9' })).status).toBe(404);
  });

  it('is served under another upstream after that one has sent it, and then from the cache', async () => {
    other.putBlob('public', layer);
    const path = `/v2/other/public/blobs/${layer.digest.text}`;
    other.behaviour.corrupt = true;
    expect((await gateway.get(path)).complete).toBe(false);
    other.behaviour.corrupt = false;
    expect((await gateway.get(path)).body.equals(layer.body)).toBe(true);
    await expect.poll(() => gateway.sample('downloads_in_flight'), patiently).toBe(0);
    expect((await gateway.get(path)).body.equals(layer.body)).toBe(true);
    expect(other.requestsTo('/public/blobs/')).toEqual([
      `GET /v2/public/blobs/${layer.digest.text}`,
      `GET /v2/public/blobs/${layer.digest.text}`,
    ]);
  });

  it.each([
    ['another size', 200, { 'content-length': 1 }],
    ['no size', 404, {}],
  ])('is not confirmed by a HEAD with %s', async (_what, status, headers) => {
    lab.behaviour.intercept = (request, response) => answerHead(request, response, headers);
    const path = `/v2/public/blobs/${layer.digest.text}`;
    expect((await gateway.get(path)).status).toBe(404);
    expect((await gateway.head(path)).status).toBe(status);
    expect((await gateway.get(path)).status).toBe(404);
  });

  it('is not served under another repository while the upstream is unreachable', async () => {
    await lab.stop();
    expect((await gateway.get(`/v2/public/blobs/${layer.digest.text}`)).status).toBe(502);
    expect((await gateway.get(`/v2/private/blobs/${layer.digest.text}`)).status).toBe(200);
  });

  it('is served from the cache if the upstream confirms it, with one request', async () => {
    lab.putBlob('public', layer);
    const path = `/v2/public/blobs/${layer.digest.text}`;
    const answers = await Promise.all(Array.from({ length: 20 }, () => gateway.get(path)));
    for (const answer of [...answers, await gateway.get(path)]) expect(answer.body.equals(layer.body)).toBe(true);
    expect(lab.requestsTo(path)).toEqual([`HEAD ${path}`]);
  });
});

describe.each([403, 404, 405])('if the upstream answers HEAD of blobs with %s, a cached layer', (status) => {
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

  it('is served under another repository that has it, and under no other', async () => {
    lab.putBlob('shared', layer);
    expect((await gateway.get(path('shared'))).body.equals(layer.body)).toBe(true);
    for (const method of ['GET', 'HEAD']) expect((await gateway.ask(method, path('public'))).status).toBe(404);
  });

  it('gets its HEAD answered with its length under an unknown repository', async () => {
    lab.putBlob('fresh', layer);
    const answer = await gateway.head(path('fresh'));
    expect([answer.status, answer.headers['content-length']]).toEqual([200, String(layer.body.byteLength)]);
  });
});

it.each([
  ['another size', 200, { 'content-length': 1 }],
  ['no size', 404, {}],
])('a HEAD with %s before a private layer is cached gives no access later', async (_what, status, headers) => {
  gateway.clock.advance(limits.upstreamHeadRefusedMs);
  const path = (name: string): string => `/v2/${name}/blobs/${layer.digest.text}`;
  lab.behaviour.intercept = (request, response) => answerHead(request, response, headers);
  expect((await gateway.head(path('public'))).status).toBe(status);
  expect((await gateway.get(path('private'))).status).toBe(200);
  await expect.poll(() => gateway.sample('downloads_in_flight'), patiently).toBe(0);
  expect((await gateway.get(path('public'))).status).toBe(404);
});

it('HEAD of a blob that a manifest of the repository names gets the size in the manifest', async () => {
  await gateway.get('/v2/private/manifests/v1');
  const answer = await gateway.head(`/v2/private/blobs/${layer.digest.text}`);
  expect([answer.status, answer.headers['content-length']]).toEqual([200, String(layer.body.byteLength)]);
  expect(lab.requestsTo('/blobs/')).toEqual(lab.requestsTo(secret.blobs[0]?.digest.text ?? ''));
});

describe('a private layer that is being downloaded', () => {
  it.each([
    ['does not respond', false],
    ['does not confirm it for the second', true],
  ] as const)(
    'is fetched separately for a second repository if the upstream %s, and a stop ends both downloads',
    async (_why, begins) => {
      lab.behaviour.intercept = (request, response) => {
        if (request.url?.includes('/blobs/') !== true) return false;
        if (request.method === 'HEAD') response.writeHead(200, { 'content-length': 1 }).end();
        else if (begins) response.writeHead(200, { 'content-length': layer.body.byteLength }).flushHeaders();
        return true;
      };
      const path = (name: string): string => `/v2/${name}/blobs/${layer.digest.text}`;
      const asked = ['private', 'public'].map((name) => gateway.get(path(name)));
      const gets = (): readonly string[] => lab.requestsTo('/blobs/').filter((line) => line.startsWith('GET'));
      await expect.poll(gets, patiently).toHaveLength(2);
      await gateway.close();
      expect((await Promise.all(asked)).map(({ complete }) => complete)).toEqual([false, false]);
    },
  );

  it('is not served to clients of another repository', async () => {
    let openGate = (): void => {};
    lab.behaviour.gate = { at: 1024 * 1024, opened: new Promise((resolve) => (openGate = resolve)) };
    const whole = gateway.get(`/v2/private/blobs/${layer.digest.text}`);
    await expect.poll(() => lab.requestsTo('/blobs/'), patiently).toHaveLength(1);
    expect((await gateway.get(`/v2/public/blobs/${layer.digest.text}`)).status).toBe(404);
    const others = await Promise.all(
      Array.from({ length: 20 }, () => gateway.get(`/v2/nowhere/blobs/${layer.digest.text}`)),
    );
    expect(new Set(others.map(({ status }) => status))).toEqual(new Set([404]));
    openGate();
    expect((await whole).body.equals(layer.body)).toBe(true);
  });
});

it('a rejected request does not affect a repository that has the layer', async () => {
  const wanted = ['public', 'nowhere', 'private', 'public', 'private'];
  const answers = await Promise.all(wanted.map((name) => gateway.get(`/v2/${name}/blobs/${layer.digest.text}`)));
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 200, 404, 200]);
});

it('the config of a private image gives no facts to an image of another repository that names it', async () => {
  await gateway.get('/v2/private/manifests/v1');
  const [config = secret] = secret.blobs;
  const claiming = content(types.ociImage, {
    schemaVersion: 2,
    mediaType: types.ociImage,
    config: descriptor(config),
    layers: [],
  });
  lab.put('public', claiming, 'claims');
  await gateway.get('/v2/public/manifests/claims');
  expect(gateway.pulls.map(({ repository, arch }) => [repository, arch])).toEqual([
    ['private', 'amd64'],
    ['public', undefined],
  ]);
});

it('links in the catalog of an earlier release give no access', async () => {
  await gateway.get('/v2/private/manifests/v1');
  await gateway.get(`/v2/private/blobs/${layer.digest.text}`);
  await gateway.close();
  const file = join(gateway.directory, 'catalog.sqlite');
  const catalog = new DatabaseSync(file);
  catalog.exec(
    'drop table delivered; drop table belonging; alter table manifest drop column body; pragma user_version = 2',
  );
  const insert = catalog.prepare('insert into link (upstream, repository, digest, size) values (?, ?, ?, ?)');
  for (const upstream of ['lab', 'other']) insert.run(upstream, 'public', layer.digest.text, layer.body.byteLength);
  catalog.close();
  await gateway.open();
  for (const path of ['/v2/lab/public', '/v2/other/public']) {
    expect((await gateway.get(`${path}/blobs/${layer.digest.text}`)).status).toBe(404);
  }
  expect((await gateway.get('/v2/private/manifests/v1')).status).toBe(200);
  expect((await gateway.get(`/v2/private/blobs/${layer.digest.text}`)).body.equals(layer.body)).toBe(true);
});

it('a private layer is not served to a client that requests it at the same time as an authorised one', async () => {
  await gateway.get('/v2/private/manifests/v1');
  const wanted = ['private', 'public', 'private', 'nowhere', 'public', 'private'];
  const answers = await Promise.all(wanted.map((name) => gateway.get(`/v2/${name}/blobs/${layer.digest.text}`)));
  expect(answers.map(({ status }) => status)).toEqual([200, 404, 200, 404, 404, 200]);
});

it('fifty clients of a blob that no manifest names cause one request to the upstream', async () => {
  const blob = content('', Buffer.from('named by nobody'));
  lab.putBlob('public', blob);
  const path = `/v2/public/blobs/${blob.digest.text}`;
  const answers = await Promise.all(Array.from({ length: 50 }, () => gateway.get(path)));
  expect(answers.every(({ body }) => body.equals(blob.body))).toBe(true);
  expect(lab.requestsTo(path)).toEqual([`GET ${path}`]);
});

it("a body crafted to have another manifest's digest stays in its repository, also after a restart", async () => {
  const text = open.body.toString();
  const format = { formatLength: text.length - 1, formatTail: Buffer.from('}').toString('base64url') };
  const signatures = [{ protected: Buffer.from(JSON.stringify(format)).toString('base64url') }];
  const forged = Buffer.from(`${text.slice(0, -1)},"signatures":${JSON.stringify(signatures)}}`);
  other.put('evil', { digest: open.digest, mediaType: types.signedSchema1, body: forged });
  const paths = ['/v2/other/evil', '/v2/lab/public'].map((name) => `${name}/manifests/${open.digest.text}`);
  const bodies = async (): Promise<readonly Buffer[]> =>
    Promise.all(paths.map(async (path) => (await gateway.get(path)).body));
  for (const path of paths) await gateway.get(path);
  expect(await bodies()).toEqual([forged, open.body]);
  await gateway.close();
  await gateway.open();
  lab.reset();
  expect(await bodies()).toEqual([forged, open.body]);
  expect(lab.requests).toEqual([]);
});
