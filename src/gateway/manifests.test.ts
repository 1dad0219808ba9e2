import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';

import type { Principal } from '../identity/index.ts';
import { TestGateway } from './testing/gateway.ts';
import { content, image, index, schema1, types, type Content, type TestImage } from './testing/images.ts';
import { TestUpstream } from './testing/upstream.ts';
import { patiently, until } from './testing/until.ts';

let lab: TestUpstream;
let gateway: TestGateway;
let count = 0;
let app: string;

beforeAll(async () => {
  lab = await TestUpstream.start();
  gateway = await TestGateway.start({ lab });
});

beforeEach(async () => {
  app = `app-${++count}`;
  lab.reset();
  await gateway.reset();
});

afterAll(async () => {
  await gateway.remove();
  await lab.stop();
});

const countable: readonly [string, TestImage, string][] = [
  ['an OCI image', image({ architecture: 'arm64' }), 'arm64'],
  ['a Docker image', image({ architecture: 'amd64', mediaType: types.dockerImage }), 'amd64'],
  ['a schema 1 image', schema1('s390x'), 's390x'],
  ['a signed schema 1 image', schema1('ppc64le', types.signedSchema1), 'ppc64le'],
];

describe('a manifest of the type', () => {
  it.each([
    ['text/html', 'application/octet-stream'],
    ['Text/HTML; charset=utf-8', 'application/octet-stream'],
    ['image/svg+xml', 'application/octet-stream'],
    ['application/xhtml+xml', 'application/octet-stream'],
    ['application/javascript', 'application/octet-stream'],
    ['application/json', 'application/octet-stream'],
    ['text/json+json', 'application/octet-stream'],
    ['application/vnd.example.thing.v1+json', 'application/vnd.example.thing.v1+json'],
    ['application/Vnd.Example+JSON; x=y', 'application/vnd.example+json'],
  ])('%s is served as %s, which browsers do not run', async (sent, served) => {
    const page = content(sent, { schemaVersion: 2, page: `<script>alert('${app}')</script>` });
    lab.put(app, page, 'v1');
    lab.putBlob(app, page);
    const asked = ['manifests/v1', 'manifests/v1', `manifests/${page.digest.text}`, `blobs/${page.digest.text}`];
    for (const target of asked) {
      const answer = await gateway.get(`/v2/${app}/${target}`);
      expect(answer.headers).toMatchObject({
        'content-type': target.startsWith('blobs/') ? 'application/octet-stream' : served,
        'content-security-policy': "default-src 'none'; sandbox",
        'x-content-type-options': 'nosniff',
      });
      const unchanged = await gateway.get(`/v2/${app}/${target}`, { 'if-none-match': String(answer.headers.etag) });
      expect([unchanged.status, unchanged.headers['content-security-policy']]).toEqual([
        304,
        "default-src 'none'; sandbox",
      ]);
    }
    await gateway.reopen({});
    expect((await gateway.get(`/v2/${app}/manifests/v1`)).headers['content-type']).toBe(served);
    expect(gateway.pulls).toEqual([]);
  });
});

describe('a GET that is a pull', () => {
  it.each(countable)('of %s counts once, with its architecture', async (_name, manifest, arch) => {
    lab.put(`team/${app}`, manifest, 'v1');
    const answer = await gateway.get(`/v2/lab/team/${app}/manifests/v1`);
    expect(answer).toMatchObject({ status: 200, body: manifest.body });
    expect(answer.headers).toMatchObject({
      'content-type': manifest.mediaType,
      'docker-content-digest': manifest.digest.text,
      etag: `"${manifest.digest.text}"`,
      'docker-distribution-api-version': 'registry/2.0',
      'x-content-type-options': 'nosniff',
    });
    expect(gateway.pulls).toEqual([
      {
        principal: null,
        upstream: 'lab',
        repository: `team/${app}`,
        tag: 'v1',
        arch,
        fusion: false,
        client: '127.0.0.1',
      },
    ]);
  });

  it.each(countable)('of %s counts with parameters after its type', async (_name, manifest, arch) => {
    lab.put(app, { ...manifest, mediaType: `${manifest.mediaType}; charset=utf-8` }, 'v1');
    const answer = await gateway.get(`/v2/${app}/manifests/v1`);
    expect(answer.headers['content-type']).toBe(manifest.mediaType);
    expect(gateway.pulls).toMatchObject([{ arch }]);
  });

  it.each(['application/json', 'text/plain; charset=utf-8', 'application/octet-stream', ''])(
    'of an image sent as %j counts, and is served with the type in its body',
    async (sent) => {
      const manifest = image({ name: app });
      const { mediaType: _, ...members } = JSON.parse(manifest.body.toString());
      lab.put(app, { ...content(sent, members), blobs: manifest.blobs }, 'unsaid');
      lab.put(app, { ...manifest, mediaType: sent }, 'own');
      lab.put(app, content(sent, { schemaVersion: 2, manifests: [] }), 'index');
      const served: unknown[] = [];
      for (const tag of ['unsaid', 'own', 'index']) {
        served.push((await gateway.get(`/v2/${app}/manifests/${tag}`)).headers['content-type']);
      }
      expect(served).toEqual([types.ociImage, types.ociImage, types.ociIndex]);
      expect(gateway.pulls).toMatchObject([
        { tag: 'unsaid', arch: 'amd64' },
        { tag: 'own', arch: 'amd64' },
      ]);
    },
  );

  it('counts each time, by tag and by digest, from memory and from the upstream', async () => {
    const manifest = image({ name: app });
    lab.put(app, manifest, 'v1');
    for (const reference of ['v1', 'v1', manifest.digest.text, manifest.digest.text]) {
      expect((await gateway.get(`/v2/${app}/manifests/${reference}`)).body).toEqual(manifest.body);
    }
    expect(gateway.pulls.map(({ tag }) => tag)).toEqual(['v1', 'v1', undefined, undefined]);
    expect(lab.requestsTo('/manifests/')).toEqual([`GET /v2/${app}/manifests/v1`]);
  });

  it('is recorded with its principal', async () => {
    const principal: Principal = { subject: 'alice', org: 'example.org', rights: new Set(['pull']) };
    await gateway.reopen({ admit: () => Promise.resolve({ kind: 'principal', principal }) });
    lab.put(app, image({ name: app }), 'v1');
    await gateway.get(`/v2/${app}/manifests/v1`);
    expect(gateway.pulls).toMatchObject([{ principal }]);
  });

  it('is served even if it cannot be recorded, and the error is logged', async () => {
    lab.put(app, image({ name: app }), 'v1');
    for (const record of [
      () => Promise.reject(new Error('no ledger')),
      (): void => {
        throw new Error('no ledger');
      },
    ]) {
      await gateway.reopen({ record });
      expect((await gateway.get(`/v2/${app}/manifests/v1`)).status).toBe(200);
    }
    const lines = gateway.logs.filter(({ message }) => message.includes('cannot record'));
    expect(lines).toMatchObject([{ fields: { error: 'no ledger' } }, { fields: { error: 'no ledger' } }]);
  });

  it('waits for the record, and counts as aborted if its client disconnects in the meantime', async () => {
    lab.put(app, image({ name: app }), 'v1');
    let recorded = (): void => {};
    let called = (): void => {};
    const wasCalled = new Promise<void>((resolve) => (called = resolve));
    await gateway.reopen({
      record: () => {
        called();
        return new Promise<void>((resolve) => (recorded = resolve));
      },
    });
    const controller = new AbortController();
    const leaving = fetch(`http://127.0.0.1:${gateway.port}/v2/${app}/manifests/v1`, { signal: controller.signal });
    await wasCalled;
    controller.abort();
    await expect(leaving).rejects.toThrow('aborted');
    await until('the gateway sees that it has left', () => gateway.answering === 0);
    recorded();
    await expect.poll(() => gateway.counted('counted_aborted', 'lab'), patiently).toBe(1);
  });
});

describe('other requests', () => {
  const child = image({ architecture: 'arm64' });
  const artifact = content('application/vnd.example.thing+json', { layers: [] });
  const cases: readonly [string, Content, string, string, number][] = [
    ['a HEAD', child, 'HEAD', 'manifests/v1', 200],
    ['an OCI index', index([[child, 'arm64']]), 'GET', 'manifests/v1', 200],
    ['a Docker manifest list', index([[child, 'arm64']], types.dockerList), 'GET', 'manifests/v1', 200],
    ['a manifest of another type', artifact, 'GET', 'manifests/v1', 200],
    ['a tag list', child, 'GET', 'tags/list', 200],
    ['a tag that does not exist', child, 'GET', 'manifests/v2', 404],
    ['a blob', child, 'GET', `blobs/${child.blobs[0]?.digest.text}`, 200],
  ];

  it.each(cases)('(%s) do not count as pulls', async (_name, manifest, method, path, status) => {
    lab.put(app, child);
    lab.put(app, manifest, 'v1');
    expect((await gateway.ask(method, `/v2/${app}/${path}`)).status).toBe(status);
    expect(gateway.pulls).toEqual([]);
  });

  it.each(['%', 'W/%', '"sha256:other", %', '*'])(
    '(a GET with If-None-Match %s that gets 304) do not count as pulls',
    async (form) => {
      lab.put(app, child, 'v1');
      await gateway.head(`/v2/${app}/manifests/v1`);
      const answer = await gateway.get(`/v2/${app}/manifests/v1`, {
        'if-none-match': form.replace('%', `"${child.digest.text}"`),
      });
      expect(answer).toMatchObject({ status: 304, body: Buffer.alloc(0) });
      expect(answer.headers.etag).toBe(`"${child.digest.text}"`);
      expect(gateway.pulls).toEqual([]);
    },
  );

  it('(a GET whose If-None-Match does not match) counts as a pull', async () => {
    lab.put(app, child, 'v1');
    expect((await gateway.get(`/v2/${app}/manifests/v1`, { 'if-none-match': '"sha256:other"' })).status).toBe(200);
    expect(gateway.pulls).toHaveLength(1);
  });
});

test('a HEAD has all the headers of the GET, and no body', async () => {
  const manifest = image({ name: app });
  lab.put(app, manifest, 'v1');
  const answer = await gateway.head(`/v2/${app}/manifests/v1`);
  expect(answer.body).toHaveLength(0);
  expect(answer.headers).toMatchObject({
    'content-length': String(manifest.body.byteLength),
    'content-type': manifest.mediaType,
    'docker-content-digest': manifest.digest.text,
  });
});

test('fifty concurrent clients of one manifest cause one request to the upstream', async () => {
  const manifest = image({ name: app });
  lab.put(app, manifest, 'v1');
  for (const reference of ['v1', manifest.digest.text]) {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => gateway.get(`/v2/${app}/manifests/${reference}`)),
    );
    expect(answers.every(({ status, body }) => status === 200 && body.equals(manifest.body))).toBe(true);
  }
  expect(lab.requestsTo('/manifests/')).toHaveLength(1);
  expect(lab.requestsTo('/blobs/')).toHaveLength(1);
  expect(gateway.pulls).toHaveLength(100);
});

test('every manifest request to the upstream accepts all six types, whatever the client accepts', async () => {
  lab.put(app, image({ name: app }), 'v1');
  const answer = await gateway.get(`/v2/${app}/manifests/v1`, { accept: types.dockerImage });
  expect(answer.headers['content-type']).toBe(types.ociImage);
  const accept = lab.requests[0]?.headers.accept?.split(', ') ?? [];
  expect(accept).toHaveLength(6);
  expect(lab.requests[0]?.headers['user-agent']).toBe('tonnage/0.0.0-test');
});

describe('the digest of a manifest', () => {
  it('must match the digest that the upstream states for a tag', async () => {
    const manifest = image({ name: app });
    lab.put(app, { ...manifest, digest: image({ name: 'other' }).digest }, 'v1');
    expect((await gateway.get(`/v2/${app}/manifests/v1`)).status).toBe(502);
    expect(gateway.pulls).toEqual([]);
  });

  it('must match the requested digest', async () => {
    const wanted = image({ name: 'wanted' });
    lab.put(app, { ...image({ name: app }), digest: wanted.digest });
    const answer = await gateway.get(`/v2/${app}/manifests/${wanted.digest.text}`);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ errors: [{ code: 'UNKNOWN' }] });
    expect(answer.status).toBe(502);
  });

  it('is computed if the upstream states none', async () => {
    const manifest = image({ name: app });
    lab.behaviour.hideDigest = true;
    lab.put(app, manifest, 'v1');
    const answer = await gateway.get(`/v2/${app}/manifests/v1`);
    expect(answer.headers['docker-content-digest']).toBe(manifest.digest.text);
  });

  it.each([
    ['too large', Buffer.alloc(4 * 1024 * 1024 + 1, 'x')],
    ['not JSON', Buffer.from('<html></html>')],
  ])('is not computed for a body that is %s: it is rejected', async (_name, body) => {
    lab.put(app, content(types.ociImage, body), 'v1');
    expect((await gateway.get(`/v2/${app}/manifests/v1`)).status).toBe(502);
  });

  it('is verified for a manifest of nearly 4 MiB', async () => {
    const body = Buffer.from(JSON.stringify({ annotations: { filler: 'x'.repeat(4_000_000) } }));
    lab.put(app, content(types.ociImage, body), 'v1');
    expect((await gateway.get(`/v2/${app}/manifests/v1`)).body.equals(body)).toBe(true);
  });
});
