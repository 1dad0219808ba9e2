import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';

import { TestGateway } from './testing/gateway.ts';
import { bytesOf, content, image, index } from './testing/images.ts';
import { until } from './testing/until.ts';
import { TestUpstream } from './testing/upstream.ts';

const first = image({ name: 'first', layers: [bytesOf(300_000, 1), bytesOf(10, 2)] });
const second = image({ name: 'second', layers: [bytesOf(200_000, 3)] });
const list = index([
  [first, 'amd64'],
  [second, 'arm64'],
]);
const sha512 = content('', bytesOf(70_000, 4));
const blobs = [...first.blobs, ...second.blobs];

let lab: TestUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  lab = await TestUpstream.start();
  lab.put('app', first, 'first');
  lab.put('app', second, 'second');
  lab.put('app', list, 'list');
  lab.put('other', first, 'first');
  lab.putBlob('app', sha512);
});

afterAll(() => lab.stop());

beforeEach(async () => {
  gateway = await TestGateway.start({ lab });
  for (const path of ['app/manifests/first', 'app/manifests/second', 'app/manifests/list', 'other/manifests/first']) {
    await gateway.get(`/v2/${path}`);
  }
  for (const { digest } of blobs) await gateway.get(`/v2/app/blobs/${digest.text}`);
  await until('all is cached', () => gateway.sample('downloads_in_flight') === 0);
});

afterEach(() => gateway.remove());

const directory = (): string => join(gateway.directory, 'blobs/sha256');

/** The disk gauges after a survey, and the actual content of the directory. */
async function compared(): Promise<{ shown: unknown; there: unknown }> {
  await gateway.gateway?.survey();
  const files = (await readdir(directory())).filter((name) => /^[0-9a-f]{64}$/.test(name));
  const sizes = await Promise.all(files.map(async (name) => (await stat(join(directory(), name))).size));
  return {
    shown: { blobs: gateway.sample('disk_blobs'), bytes: gateway.sample('disk_blob_bytes') },
    there: { blobs: files.length, bytes: sizes.reduce((sum, size) => sum + size, 0) },
  };
}

it('the gauges of blobs match the files on disk', async () => {
  const { shown, there } = await compared();
  expect(shown).toEqual(there);
  expect(there).toMatchObject({ blobs: blobs.length });
});

it('they match after a restart', async () => {
  await gateway.close();
  await gateway.open();
  const { shown, there } = await compared();
  expect(shown).toEqual(there);
  expect(there).toMatchObject({ blobs: blobs.length });
});

it('they match after a file was removed, one was added, and one is not a blob', async () => {
  const [name = ''] = await readdir(directory());
  await rm(join(directory(), name));
  await writeFile(join(directory(), 'note.txt'), 'not a blob');
  const lost = await compared();
  expect(lost.shown).toEqual(lost.there);
  expect(lost.there).toMatchObject({ blobs: blobs.length - 1 });
  await writeFile(join(directory(), sha512.digest.hex), sha512.body);
  const found = await compared();
  expect(found.shown).toEqual(found.there);
  expect(found.there).toMatchObject({ blobs: blobs.length });
});

it('values that cannot be determined are not shown until they can be', async () => {
  await rename(directory(), `${directory()}.aside`);
  await gateway.gateway?.survey();
  expect(gateway.sample('disk_blobs')).toBeUndefined();
  expect(gateway.sample('disk_manifests')).toBe(3);
  await rename(`${directory()}.aside`, directory());
  await gateway.gateway?.survey();
  expect(gateway.sample('disk_blobs')).toBe(blobs.length);
});

it('manifests are counted once per digest on disk, and per repository in memory', async () => {
  const bytes = first.body.byteLength + second.body.byteLength + list.body.byteLength;
  await gateway.gateway?.survey();
  expect([gateway.sample('disk_manifests'), gateway.sample('disk_manifest_bytes')]).toEqual([3, bytes]);
  expect([gateway.sample('memory_manifests'), gateway.sample('memory_tags')]).toEqual([4, 4]);
  expect(gateway.sample('memory_manifest_bytes')).toBeGreaterThan(bytes + first.body.byteLength);
});

it('after a restart, memory is empty and the disk is not', async () => {
  await gateway.close();
  await gateway.open();
  for (const name of [
    'memory_manifests',
    'memory_manifest_bytes',
    'memory_tags',
    'memory_blobs',
    'memory_blob_bytes',
  ]) {
    expect([name, gateway.sample(name)]).toEqual([name, 0]);
  }
  expect(gateway.sample('disk_manifests')).toBe(3);
});

it('small blobs are in memory after they were read', async () => {
  const small = blobs.filter(({ body }) => body.byteLength < 64 * 1024);
  for (const { digest } of blobs) await gateway.get(`/v2/app/blobs/${digest.text}`);
  expect(gateway.sample('memory_blobs')).toBe(small.length);
  const bytes = small.reduce((sum, { body }) => sum + body.byteLength, 0);
  expect(gateway.sample('memory_blob_bytes')).toBeGreaterThan(bytes);
});

it('the free space and the size of the disk are shown', () => {
  const [free = 0, size = 0] = [gateway.sample('disk_free_bytes'), gateway.sample('disk_size_bytes')];
  expect(free).toBeGreaterThan(0);
  expect(size).toBeGreaterThan(free);
});
