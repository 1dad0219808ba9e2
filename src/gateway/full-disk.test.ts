import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { startChild, type GatewayChild } from './testing/child.ts';
import { TestGateway } from './testing/gateway.ts';
import { bytesOf, content, image } from './testing/images.ts';
import { TestUpstream } from './testing/upstream.ts';
import { patiently } from './testing/until.ts';

const mebibyte = 1024 * 1024;
const large = content('application/octet-stream', bytesOf(6 * mebibyte, 3));
const path = `/v2/app/blobs/${large.digest.text}`;

let lab: TestUpstream;

beforeEach(async () => {
  lab = await TestUpstream.start();
  lab.put('app', image({ layers: [large.body] }), 'v1');
});

afterEach(() => lab.stop());

/** The body of a response, or null if it is incomplete. */
async function whole(url: string, headers: Record<string, string> = {}): Promise<Buffer | null> {
  try {
    const answer = await fetch(url, { headers });
    return answer.ok ? Buffer.from(await answer.arrayBuffer()) : null;
  } catch {
    return null;
  }
}

describe('when the disk becomes full in the middle of a blob', () => {
  let directory: string;
  let child: GatewayChild;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tonnage-full-'));
    child = await startChild({ directory, upstreamUrl: lab.url, fileBytesMax: 2 * mebibyte });
  });

  afterEach(async () => {
    await child.kill('SIGTERM');
    await rm(directory, { recursive: true, force: true });
  });

  it('every client gets the rest by its own request', async () => {
    lab.behaviour.pace = { bytes: 256 * 1024, pauseMs: 2 };
    const url = `${child.url}${path}`;
    const [first, second, part, later] = await Promise.all([
      whole(url),
      whole(url),
      whole(url, { range: 'bytes=1000000-4999999' }),
      whole(url, { range: 'bytes=3000000-' }),
    ]);
    expect(first?.equals(large.body)).toBe(true);
    expect(second?.equals(large.body)).toBe(true);
    expect(part?.equals(large.body.subarray(1_000_000, 5_000_000))).toBe(true);
    expect(later?.equals(large.body.subarray(3_000_000))).toBe(true);
    expect(await readdir(join(directory, 'tmp'))).toEqual([]);
    expect(await readdir(join(directory, 'blobs/sha256'))).toEqual([]);
    expect(child.lines.some((line) => line.includes('cannot write the image cache') && line.includes('EFBIG'))).toBe(
      true,
    );
    expect((await whole(`${child.url}/cache-failure`))?.toString()).toContain('EFBIG');
    // The gateway does not try the disk again for each blob.
    const asked = lab.requestsTo('/blobs/').length;
    expect((await whole(url))?.equals(large.body)).toBe(true);
    expect(lab.requestsTo('/blobs/')).toHaveLength(asked + 1);
  });

  it('no client gets a complete blob with a wrong digest', async () => {
    lab.behaviour.corrupt = true;
    const url = `${child.url}${path}`;
    expect(await Promise.all([whole(url), whole(url)])).toEqual([null, null]);
    expect(await whole(url)).toBeNull();
  });

  it('a blob that still fits is cached', async () => {
    const small = content('', bytesOf(mebibyte, 4));
    lab.putBlob('app', small);
    expect((await whole(`${child.url}/v2/app/blobs/${small.digest.text}`))?.equals(small.body)).toBe(true);
    await expect.poll(() => readdir(join(directory, 'blobs/sha256')), patiently).toEqual([small.digest.hex]);
  });
});

describe('when nothing can be written', () => {
  let gateway: TestGateway;

  beforeEach(async () => {
    gateway = await TestGateway.start({ lab });
    await rm(join(gateway.directory, 'tmp'), { recursive: true });
  });

  afterEach(() => gateway.remove());

  it('blobs and ranges pass through, verified', async () => {
    for (const headers of [{}, {}]) expect((await gateway.get(path, headers)).body.equals(large.body)).toBe(true);
    const part = await gateway.get(path, { range: 'bytes=10-19' });
    expect([part.status, part.headers['content-range']]).toEqual([206, `bytes 10-19/${large.body.byteLength}`]);
    expect(part.body.equals(large.body.subarray(10, 20))).toBe(true);
    lab.behaviour.corrupt = true;
    const corrupt = await gateway.get(path);
    expect([corrupt.status, corrupt.complete]).not.toEqual([200, true]);
    expect(gateway.counted('blob_rejected', 'lab')).toBe(1);
  });

  it('an image still has its facts', async () => {
    await gateway.get('/v2/app/manifests/v1');
    expect(gateway.pulls).toMatchObject([{ arch: 'amd64' }]);
  });
});
