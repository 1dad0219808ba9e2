import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { digestOf } from '../oci/index.ts';
import { TestGateway, type Answer } from './testing/gateway.ts';
import { bytesOf, content, image } from './testing/images.ts';
import { TestUpstream } from './testing/upstream.ts';
import { patiently, until } from './testing/until.ts';

const mebibyte = 1024 * 1024;
const large = content('application/octet-stream', bytesOf(4 * mebibyte, 1));
const small = content('application/octet-stream', Buffer.from('a small layer'));
const empty = content('application/octet-stream', Buffer.alloc(0));
const holder = image({ layers: [large.body, small.body, empty.body] });
const pathOf = (blob: { readonly digest: { readonly text: string } }): string => `/v2/app/blobs/${blob.digest.text}`;

let lab: TestUpstream;
let gateway: TestGateway;

beforeEach(async () => {
  lab = await TestUpstream.start();
  lab.put('app', holder, 'v1');
  gateway = await TestGateway.start({ lab });
});

afterEach(async () => {
  await gateway.remove();
  await lab.stop();
});

const blobFile = (hex: string): string => join(gateway.directory, 'blobs/sha256', hex);
const filesIn = (folder: string): Promise<string[]> => readdir(join(gateway.directory, folder));

/** Whether a client would accept the response. */
const isWhole = ({ status, complete }: Answer): boolean => (status === 200 || status === 206) && complete;

/** A promise that the test resolves. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

/** Reads a blob and disconnects after the first chunk. Resolves when the connection is closed. */
async function readAndLeave(path: string, afterBytes = 1): Promise<void> {
  const controller = new AbortController();
  const answer = await fetch(`http://127.0.0.1:${gateway.port}${path}`, { signal: controller.signal });
  const reader = answer.body?.getReader();
  for (let received = 0; received < afterBytes;) received += (await reader?.read())?.value?.byteLength ?? Infinity;
  controller.abort();
}

describe('a blob', () => {
  it.each([
    ['large', large],
    ['small', small],
    ['empty', empty],
  ])('that is %s is complete and has its headers, from the upstream and then from the cache', async (_name, blob) => {
    for (let round = 0; round < 2; round++) {
      const answer = await gateway.get(pathOf(blob));
      expect(answer.status).toBe(200);
      expect(answer.body.equals(blob.body)).toBe(true);
      expect(answer.headers).toMatchObject({
        'content-type': 'application/octet-stream',
        'content-length': String(blob.body.byteLength),
        'docker-content-digest': blob.digest.text,
        etag: `"${blob.digest.text}"`,
        'accept-ranges': 'bytes',
        'cache-control': 'private, max-age=31536000, immutable',
        'docker-distribution-api-version': 'registry/2.0',
      });
      await expect.poll(() => filesIn('blobs/sha256'), patiently).toEqual([blob.digest.hex]);
    }
    expect(lab.requestsTo('/blobs/')).toEqual([`GET ${pathOf(blob)}`]);
    expect(await filesIn('tmp')).toEqual([]);
    expect((await readFile(blobFile(blob.digest.hex))).equals(blob.body)).toBe(true);
  });

  it('with a sha512 digest is verified and cached', async () => {
    const body = Buffer.from('digested otherwise');
    const blob = { body, mediaType: '', digest: digestOf('sha512', body) };
    lab.putBlob('app', blob);
    expect((await gateway.get(pathOf(blob))).body).toEqual(body);
    await expect.poll(() => filesIn('blobs/sha512'), patiently).toEqual([blob.digest.hex]);
  });

  it('answers HEAD from the upstream without fetching it, then from the cache', async () => {
    for (let round = 0; round < 2; round++) {
      const answer = await gateway.head(pathOf(large));
      expect(answer.headers['content-length']).toBe(String(large.body.byteLength));
      expect(answer.headers['docker-content-digest']).toBe(large.digest.text);
      expect(answer.body).toHaveLength(0);
      await gateway.get(pathOf(large));
      await expect.poll(() => gateway.sample('downloads_in_flight'), patiently).toBe(0);
    }
    expect(lab.requestsTo('/blobs/')).toEqual([`HEAD ${pathOf(large)}`, `GET ${pathOf(large)}`]);
  });

  it('that the client already has gets 304', async () => {
    await gateway.get(pathOf(small));
    const answer = await gateway.get(pathOf(small), { 'if-none-match': `"${small.digest.text}"` });
    expect(answer).toMatchObject({ status: 304, body: Buffer.alloc(0) });
  });

  it('that does not exist gets 404', async () => {
    const answer = await gateway.get(`/v2/app/blobs/sha256:${'0'.repeat(64)}`);
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ errors: [{ code: 'BLOB_UNKNOWN' }] });
    expect((await gateway.head(`/v2/app/blobs/sha256:${'0'.repeat(64)}`)).status).toBe(404);
    expect(await filesIn('tmp')).toEqual([]);
  });

  it('without a length from the upstream gets the length in the manifest', async () => {
    lab.behaviour.hideLength = true;
    await gateway.get('/v2/app/manifests/v1');
    const answer = await gateway.get(pathOf(large));
    expect(answer.headers['content-length']).toBe(String(large.body.byteLength));
    expect(answer.body.equals(large.body)).toBe(true);
  });

  it('without any known length is sent in chunks', async () => {
    lab.behaviour.hideLength = true;
    const answer = await gateway.get(pathOf(large));
    expect(answer.headers['content-length']).toBeUndefined();
    expect(answer.body.equals(large.body)).toBe(true);
  });
});

describe('many clients of one uncached blob', () => {
  it('cause one request to the upstream', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => gateway.get(pathOf(large))));
    expect(answers.every(({ body }) => body.equals(large.body))).toBe(true);
    expect(lab.requestsTo('/blobs/')).toEqual([`GET ${pathOf(large)}`]);
  });

  it('are each served at their own speed: a slow one delays neither the download nor the others', async () => {
    const controller = new AbortController();
    const slow = await fetch(`http://127.0.0.1:${gateway.port}${pathOf(large)}`, { signal: controller.signal });
    expect(slow.status).toBe(200);
    expect((await gateway.get(pathOf(large))).body.equals(large.body)).toBe(true);
    await expect.poll(() => filesIn('blobs/sha256'), patiently).toHaveLength(1);
    expect(Buffer.from(await slow.arrayBuffer()).equals(large.body)).toBe(true);
    expect(lab.requestsTo('/blobs/')).toHaveLength(1);
  });

  it('get the first bytes while the rest is being downloaded', async () => {
    const { opened, open } = gate();
    lab.behaviour.gate = { at: mebibyte, opened };
    let received = 0;
    const answers = [1, 2, 3].map(() =>
      gateway.ask('GET', pathOf(large), {}, (bytes) => (received = Math.max(received, bytes))),
    );
    await expect.poll(() => received, patiently).toBe(mebibyte - 1);
    open();
    for (const answer of await Promise.all(answers)) expect(answer.body.equals(large.body)).toBe(true);
  });
});

describe('a blob with a wrong digest', () => {
  it.each([false, true])('is never sent completely, and is not cached (length hidden: %s)', async (hideLength) => {
    lab.behaviour.corrupt = true;
    lab.behaviour.hideLength = hideLength;
    const requests = [{}, {}, { range: 'bytes=0-99' }, { range: 'bytes=-10' }, { range: 'bytes=0-' }];
    await gateway.get('/v2/app/manifests/v1');
    const answers = await Promise.all(requests.map((headers) => gateway.get(pathOf(large), headers)));
    expect(answers.filter(isWhole)).toEqual([]);
    expect(await filesIn('blobs/sha256')).not.toContain(large.digest.hex);
    expect(await filesIn('tmp')).toEqual([]);
    expect(gateway.counted('blob_rejected', 'lab')).toBeGreaterThanOrEqual(1);
    expect(gateway.logs.some(({ level, message }) => level === 'error' && message.includes('rejected'))).toBe(true);
  });

  it('gets 502 if nothing has been sent yet', async () => {
    lab.behaviour.corrupt = true;
    const tiny = content('', Buffer.from('x'));
    lab.putBlob('app', tiny);
    const answer = await gateway.get(pathOf(tiny));
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ errors: [{ code: 'UNKNOWN' }] });
  });

  it('is fetched again for the next client, and is then complete', async () => {
    lab.behaviour.corrupt = true;
    expect(isWhole(await gateway.get(pathOf(large)))).toBe(false);
    lab.behaviour.corrupt = false;
    expect((await gateway.get(pathOf(large))).body.equals(large.body)).toBe(true);
  });
});

describe('a blob that the upstream aborts', () => {
  it.each([false, true])('is not cached and never ends properly (length hidden: %s)', async (hideLength) => {
    lab.behaviour.truncateAt = mebibyte;
    lab.behaviour.hideLength = hideLength;
    const answers = await Promise.all([gateway.get(pathOf(large)), gateway.get(pathOf(large))]);
    expect(answers.filter(isWhole)).toEqual([]);
    expect(await filesIn('blobs/sha256')).toEqual([]);
    await expect.poll(() => filesIn('tmp'), patiently).toEqual([]);
    // A late client no longer finds the first download, and starts its own.
    const downloads = lab.requestsTo(pathOf(large)).length;
    expect(downloads).toBeLessThanOrEqual(answers.length);
    expect(gateway.counted('blob_rejected', 'lab')).toBe(downloads);
  });
});

describe('a blob of unknown size', () => {
  beforeEach(async () => {
    lab.behaviour.hideLength = true;
    await gateway.reopen({ undeclaredBlobBytesMax: mebibyte });
  });

  it('is aborted beyond the limit, and leaves no file', async () => {
    const answer = await gateway.get(pathOf(large));
    expect(answer.complete && answer.status === 200).toBe(false);
    expect(answer.body.byteLength).toBeLessThan(2 * mebibyte);
    await expect.poll(() => filesIn('tmp'), patiently).toEqual([]);
    expect(await filesIn('blobs/sha256')).toEqual([]);
    expect(JSON.stringify(gateway.logs)).toContain(
      'sent more than 1048576 bytes of a blob whose size it does not state',
    );
  });

  it('is served within the limit', async () => {
    expect((await gateway.get(pathOf(small))).body.equals(small.body)).toBe(true);
  });

  it('is aborted beyond the limit even if the disk cannot be written', async () => {
    await rm(join(gateway.directory, 'tmp'), { recursive: true });
    const answer = await gateway.get(pathOf(large));
    expect(answer.complete && answer.status === 200).toBe(false);
    expect(answer.body.byteLength).toBeLessThanOrEqual(mebibyte);
  });
});

describe('when all clients disconnect', () => {
  it('before half of the blob has arrived, its download is aborted', async () => {
    const { opened, open } = gate();
    lab.behaviour.gate = { at: mebibyte, opened };
    await readAndLeave(pathOf(large));
    await expect.poll(() => filesIn('tmp'), patiently).toEqual([]);
    open();
    await sleep(50);
    expect(await filesIn('blobs/sha256')).toEqual([]);
    expect(gateway.counted('blob_rejected', 'lab')).toBe(0);
    expect((await gateway.get(pathOf(large))).body.equals(large.body)).toBe(true);
  });

  it('after half of the blob has arrived, its download is finished', async () => {
    const { opened, open } = gate();
    lab.behaviour.gate = { at: 3 * mebibyte, opened };
    await readAndLeave(pathOf(large), 3 * mebibyte - 1);
    await sleep(50);
    open();
    await expect.poll(() => filesIn('blobs/sha256'), patiently).toEqual([large.digest.hex]);
    expect((await gateway.get(pathOf(large))).body.equals(large.body)).toBe(true);
    expect(lab.requestsTo('/blobs/')).toHaveLength(1);
  });

  it('before the upstream has responded, the request is aborted', async () => {
    const { opened, open } = gate();
    let closed = false;
    lab.behaviour.intercept = (request, response) => {
      if (request.url?.includes('/blobs/') !== true) return false;
      response.on('close', () => (closed = true));
      void opened.then(() => response.destroy());
      return true;
    };
    const controller = new AbortController();
    const answer = fetch(`http://127.0.0.1:${gateway.port}${pathOf(large)}`, { signal: controller.signal });
    await expect.poll(() => lab.requestsTo('/blobs/'), patiently).toHaveLength(1);
    controller.abort();
    await expect(answer).rejects.toThrow('aborted');
    await expect.poll(() => closed, patiently).toBe(true);
    open();
  });
});

describe('a cached blob with a file that', () => {
  beforeEach(async () => {
    await gateway.get(pathOf(large));
    await until('it is cached', () => gateway.sample('downloads_in_flight') === 0);
    lab.requests.length = 0;
  });

  it.each([
    ['is gone', (file: string) => rm(file)],
    ['is shorter', (file: string) => truncate(file, 10)],
    ['is longer', (file: string) => writeFile(file, 'x', { flag: 'a' })],
  ])('%s is fetched again', async (_name, damage) => {
    await damage(blobFile(large.digest.hex));
    expect((await gateway.get(pathOf(large))).body.equals(large.body)).toBe(true);
    expect(lab.requestsTo('/blobs/')).toHaveLength(1);
    expect(gateway.logs).toMatchObject([{ level: 'warn' }]);
  });
});
