import { copyFile, mkdtemp, readdir, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { startChild } from './testing/child.ts';
import { TestGateway } from './testing/gateway.ts';
import { bytesOf, content, image, index } from './testing/images.ts';
import { TestUpstream } from './testing/upstream.ts';
import { patiently, until } from './testing/until.ts';

const manifest = image({ architecture: 'arm64' });
const layer = manifest.blobs[1] ?? manifest;
const layerPath = `/v2/app/blobs/${layer.digest.text}`;

let lab: TestUpstream;

beforeEach(async () => {
  lab = await TestUpstream.start();
  lab.put('app', manifest, 'v1');
  lab.put('app', index([[manifest, 'arm64']]), 'multi');
});

afterEach(() => lab.stop());

describe('after a restart, without the upstream,', () => {
  let gateway: TestGateway;

  beforeEach(async () => {
    gateway = await TestGateway.start({ lab });
    for (const path of ['manifests/v1', 'manifests/multi', `blobs/${layer.digest.text}`]) {
      await gateway.get(`/v2/app/${path}`);
    }
    const files = (): Promise<string[]> => readdir(join(gateway.directory, 'blobs/sha256'));
    await until('both blobs are cached', async () => (await files()).length === 2);
    await gateway.close();
    await lab.stop();
  });

  afterEach(() => gateway.remove());

  it('all cached content is served, and counted with its facts', async () => {
    await gateway.open();
    expect((await gateway.get('/v2/app/manifests/v1')).body).toEqual(manifest.body);
    expect((await gateway.get(`/v2/app/manifests/${manifest.digest.text}`)).body).toEqual(manifest.body);
    expect((await gateway.get('/v2/app/manifests/multi')).status).toBe(200);
    expect((await gateway.get(layerPath)).body).toEqual(layer.body);
    expect(gateway.pulls.map(({ arch }) => arch)).toEqual(['arm64', 'arm64', 'arm64']);
    expect(gateway.logs).toEqual([]);
  });

  it('unfinished files are removed', async () => {
    await writeFile(join(gateway.directory, 'tmp/half-done'), 'x');
    await gateway.open();
    expect(await readdir(join(gateway.directory, 'tmp'))).toEqual([]);
  });

  it('a blob without a catalog row is kept, but served only after its upstream has sent it again', async () => {
    for (const name of await readdir(gateway.directory)) {
      if (name.startsWith('catalog')) await unlink(join(gateway.directory, name));
    }
    await gateway.open();
    expect((await gateway.get(layerPath)).status).toBe(502);
    lab = await TestUpstream.start(lab.port);
    lab.put('app', manifest, 'v1');
    expect((await gateway.get('/v2/app/manifests/v1')).status).toBe(200);
    for (let round = 0; round < 2; round++) expect((await gateway.get(layerPath)).body).toEqual(layer.body);
    expect(lab.requestsTo(layerPath)).toEqual([`GET ${layerPath}`]);
  });

  it('a row without a file is deleted', async () => {
    const file = join(gateway.directory, 'blobs/sha256', layer.digest.hex);
    await copyFile(file, `${file}.aside`);
    await unlink(file);
    await gateway.open();
    expect((await gateway.get(layerPath)).status).toBe(502);
    expect(await readdir(join(gateway.directory, 'blobs/sha256'))).toContain(`${layer.digest.hex}.aside`);
  });

  it('an expired tag is served stale', async () => {
    await gateway.open();
    gateway.clock.advance(60_000);
    expect((await gateway.get('/v2/app/manifests/v1')).headers.warning).toBeDefined();
  });
});

describe('killed in the middle of a download', () => {
  it('a gateway restarts and fetches the blob from the beginning', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tonnage-kill-'));
    const large = content('', bytesOf(4 * 1024 * 1024, 5));
    const url = (base: string): string => `${base}/v2/app/blobs/${large.digest.text}`;
    lab.putBlob('app', large);
    lab.behaviour.gate = { at: 1024 * 1024, opened: new Promise(() => {}) };
    const first = await startChild({ directory, upstreamUrl: lab.url });
    const answer = await fetch(url(first.url));
    await expect.poll(() => readdir(join(directory, 'tmp')), patiently).toHaveLength(1);
    await first.kill('SIGKILL');
    await expect(answer.arrayBuffer()).rejects.toThrow('terminated');
    delete lab.behaviour.gate;
    const second = await startChild({ directory, upstreamUrl: lab.url });
    expect(await readdir(join(directory, 'tmp'))).toEqual([]);
    expect(Buffer.from(await (await fetch(url(second.url))).arrayBuffer()).equals(large.body)).toBe(true);
    await second.kill('SIGTERM');
    await rm(directory, { recursive: true, force: true });
  });
});
