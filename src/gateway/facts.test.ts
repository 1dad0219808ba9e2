import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { systemClock } from '../base/index.ts';
import { openDatabase } from '../sqlite/index.ts';
import { catalogApplicationId, catalogMigrations } from './cache/catalog-schema.ts';
import { TestGateway } from './testing/gateway.ts';
import { image, index, types, type TestImage } from './testing/images.ts';
import { TestUpstream } from './testing/upstream.ts';

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

const anImage = (options: Parameters<typeof image>[0]): TestImage => image({ name: app, ...options });
const pull = (reference: string, from = gateway) => from.get(`/v2/${app}/manifests/${reference}`);
const configOf = (of: TestImage): string => of.blobs[0]?.digest.text ?? '';

/** Makes requests for configs fail. Returns a function that restores them. */
function withholdBlobs(status: number | 'silence'): () => void {
  lab.behaviour.intercept = (request, response) => {
    if (request.url?.includes('/blobs/') !== true) return false;
    if (status !== 'silence') response.writeHead(status).end();
    return true;
  };
  return () => delete lab.behaviour.intercept;
}

describe('the architecture', () => {
  it.each([
    ['amd64', 'amd64'],
    ['ARM64', 'arm64'],
    ['unknown', undefined],
    ['', undefined],
  ])('of a config with %j is %j', async (architecture, arch) => {
    lab.put(app, anImage({ architecture }), 'v1');
    await pull('v1');
    expect(gateway.pulls.map((counted) => counted.arch)).toEqual([arch]);
    expect(gateway.counted('facts_unknown', 'lab')).toBe(0);
  });

  it('comes from the index, and no config is fetched', async () => {
    const child = anImage({ architecture: 'arm64' });
    lab.put(app, child);
    lab.put(app, index([[child, 'arm64']]), 'v1');
    await pull('v1');
    await pull(child.digest.text);
    expect(gateway.pulls).toMatchObject([{ arch: 'arm64' }]);
    expect(lab.requestsTo('/blobs/')).toEqual([]);
  });

  it('is not taken from an index of another repository', async () => {
    const child = anImage({ architecture: 'arm64' });
    lab.put(app, child);
    lab.put(`evil-${app}`, child);
    lab.put(`evil-${app}`, index([[child, 's390x']]), 'v1');
    await gateway.get(`/v2/evil-${app}/manifests/v1`);
    await gateway.get(`/v2/evil-${app}/manifests/${child.digest.text}`);
    await pull(child.digest.text);
    expect(gateway.pulls.map(({ repository, arch }) => [repository, arch])).toEqual([
      [`evil-${app}`, 's390x'],
      [app, 'arm64'],
    ]);
  });

  it('comes from the config if the index does not state it', async () => {
    const child = anImage({ architecture: 'riscv64' });
    lab.put(app, child);
    lab.put(app, index([[child, 'unknown']]), 'v1');
    await pull('v1');
    await pull(child.digest.text);
    expect(gateway.pulls).toMatchObject([{ arch: 'riscv64' }]);
  });

  it.each(['application/octet-stream', 'application/json', 'text/html; charset=utf-8', '', undefined])(
    'of an image whose config has the type %j comes from that config',
    async (configType) => {
      const alone = anImage({ configType, architecture: 'arm64' });
      const part = anImage({ configType, name: `${app} part`, architecture: 's390x' });
      lab.put(app, alone, 'v1');
      lab.put(app, part);
      lab.put(app, index([[part, 'unknown']]), 'v2');
      for (const reference of ['v1', 'v2', part.digest.text]) await pull(reference);
      expect(gateway.pulls.map(({ arch }) => arch)).toEqual(['arm64', 's390x']);
      expect(gateway.counted('facts_unknown', 'lab')).toBe(0);
    },
  );

  it.each([
    ['is not an image config', { config: { name: 'chart', version: '1.0' } }],
    ['has no layers', { layers: [] }],
    ['is too large', { name: 'x'.repeat(8 * 1024 * 1024) }],
  ])('of an artifact whose config has a generic type and %s is null', async (_why, options) => {
    lab.put(app, anImage({ configType: 'application/octet-stream', architecture: 'arm64', ...options }), 'v1');
    await pull('v1');
    await pull('v1');
    expect(gateway.pulls.map(({ arch }) => arch)).toEqual([undefined, undefined]);
    expect(gateway.counted('facts_unknown', 'lab')).toBe(0);
    expect(lab.requestsTo('/blobs/').length).toBeLessThan(2);
  });

  it('of an image that an earlier version cached as an artifact is found again', async () => {
    const legacy = anImage({ configType: 'application/octet-stream', architecture: 'arm64' });
    lab.put(app, legacy);
    const { digest, body } = legacy;
    await gateway.close();
    for (const name of await readdir(gateway.directory)) {
      if (name.startsWith('catalog')) await unlink(join(gateway.directory, name));
    }
    const catalog = await openDatabase({
      remedy: 'remove it',
      file: join(gateway.directory, 'catalog.sqlite'),
      applicationId: catalogApplicationId,
      migrations: catalogMigrations.slice(0, 2),
      synchronous: 'normal',
    });
    await catalog.transact([
      { sql: 'insert into body (digest, bytes) values (?, ?)', rows: [[digest.text, body]] },
      {
        sql: `insert into manifest (upstream, repository, digest, media_type, facts, entrypoint)
          values ('lab', ?, ?, 'application/json', 'image', '[]')`,
        rows: [[app, digest.text]],
      },
    ]);
    await catalog.close();
    await gateway.open();
    expect((await pull(digest.text)).headers['content-type']).toBe(types.ociImage);
    expect(gateway.pulls.map(({ arch }) => arch)).toEqual(['arm64']);
    expect(lab.requestsTo('/manifests/')).toEqual([]);
  });

  it('of an artifact is null, and nothing is fetched', async () => {
    lab.put(app, anImage({ configType: 'application/vnd.cncf.helm.config.v1+json' }), 'v1');
    await pull('v1');
    expect(gateway.pulls.map((counted) => counted.arch)).toEqual([undefined]);
    expect(gateway.counted('facts_unknown', 'lab')).toBe(0);
    expect(lab.requestsTo('/blobs/')).toEqual([]);
  });

  it('is found once and stored, and the config is then in the blob cache', async () => {
    const manifest = anImage({ architecture: 'arm64' });
    lab.put(app, manifest, 'v1');
    await pull('v1');
    await gateway.reopen({ factsWaitMs: 30_000 });
    await pull('v1');
    await gateway.get(`/v2/${app}/blobs/${configOf(manifest)}`);
    expect(gateway.pulls.map(({ arch }) => arch)).toEqual(['arm64', 'arm64']);
    expect(lab.requestsTo('/blobs/')).toEqual([`GET /v2/${app}/blobs/${configOf(manifest)}`]);
  });
});

describe('facts that are unavailable', () => {
  it.each([404, 500, 'silence'] as const)('(%s) are unknown at first, counted, and searched again', async (status) => {
    await gateway.reopen({ factsWaitMs: status === 'silence' ? 50 : 60_000 });
    lab.put(app, anImage({ architecture: 'arm64' }), 'v1');
    const restore = withholdBlobs(status);
    expect((await pull('v1')).status).toBe(200);
    expect(gateway.counted('facts_unknown', 'lab')).toBe(1);
    restore();
    if (status === 'silence') return;
    await pull('v1');
    expect(gateway.pulls.map(({ arch }) => arch)).toEqual([undefined, 'arm64']);
    expect(gateway.counted('facts_unknown', 'lab')).toBe(1);
  });

  it('in time come from the index in the meantime', async () => {
    await gateway.reopen({ factsWaitMs: 50, fusionEntrypoint: '/usr/bin/fusion' });
    const child = anImage({ architecture: 'arm64' });
    lab.put(app, child);
    lab.put(app, index([[child, 'arm64']]), 'v1');
    withholdBlobs('silence');
    await pull('v1');
    await pull(child.digest.text);
    expect(gateway.pulls).toMatchObject([{ arch: 'arm64', fusion: false }]);
    expect(gateway.counted('facts_unknown', 'lab')).toBe(1);
  });

  it('do not delay a pull beyond the limit', async () => {
    await gateway.reopen({ factsWaitMs: 100 });
    lab.put(app, anImage({}), 'v1');
    withholdBlobs('silence');
    const started = systemClock.monotonic();
    await pull('v1');
    expect(systemClock.monotonic() - started).toBeLessThan(30_000);
  });

  it('because the config is too large are unknown', async () => {
    const manifest = anImage({ name: 'x'.repeat(8 * 1024 * 1024) });
    lab.put(app, manifest, 'v1');
    await pull('v1');
    expect(gateway.pulls.map(({ arch }) => arch)).toEqual([undefined]);
    expect(lab.requestsTo('/blobs/')).toEqual([]);
  });
});

describe('fusion', () => {
  const rule = { fusionEntrypoint: '/usr/bin/fusion' };
  let ruled: TestGateway;

  beforeAll(async () => {
    ruled = await TestGateway.start({ lab }, rule);
  });

  beforeEach(() => ruled.reset());

  afterAll(() => ruled.remove());

  it.each([
    [['/usr/bin/fusion'], true],
    [['/usr/bin/fusion', 'bash', '-c'], true],
    [['/bin/sh', '/usr/bin/fusion'], false],
    [['/usr/bin/fusion2'], false],
    [[], false],
    [undefined, false],
  ])('with the entrypoint %j is %s', async (entrypoint, fusion) => {
    lab.put(app, anImage(entrypoint === undefined ? {} : { entrypoint }), 'v1');
    await pull('v1', ruled);
    expect(ruled.pulls).toMatchObject([{ fusion }]);
  });

  it('counts for an image whose config has a generic type', async () => {
    lab.put(app, anImage({ configType: 'application/octet-stream', entrypoint: ['/usr/bin/fusion'] }), 'v1');
    await pull('v1', ruled);
    expect(ruled.pulls).toMatchObject([{ fusion: true, arch: 'amd64' }]);
  });

  it('is never counted without a rule', async () => {
    lab.put(app, anImage({ entrypoint: ['/usr/bin/fusion'] }), 'v1');
    await pull('v1');
    expect(gateway.pulls).toMatchObject([{ fusion: false }]);
  });

  it.each([types.ociImage, types.dockerImage])(
    'needs the config of %s even if an index states the architecture',
    async (mediaType) => {
      const child = anImage({ mediaType, architecture: 'arm64', entrypoint: ['/usr/bin/fusion'] });
      lab.put(app, child);
      lab.put(app, index([[child, 'arm64']]), 'v1');
      await pull('v1', ruled);
      await pull(child.digest.text, ruled);
      expect(ruled.pulls).toMatchObject([{ arch: 'arm64', fusion: true }]);
    },
  );

  it('follows a new rule, also for cached images', async () => {
    const child = anImage({ architecture: 'arm64', entrypoint: ['/usr/bin/fusion'] });
    const other = anImage({ name: 'other', entrypoint: ['/usr/bin/fusion'] });
    lab.put(app, child);
    lab.put(app, index([[child, 'arm64']]), 'v1');
    lab.put(app, other, 'v2');
    for (const reference of ['v1', child.digest.text, 'v2']) await pull(reference);
    await gateway.reopen(rule);
    for (const reference of [child.digest.text, 'v2']) await pull(reference);
    expect(gateway.pulls.map((counted) => counted.fusion)).toEqual([false, false, true, true]);
  });
});
