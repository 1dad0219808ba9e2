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

/** Whether a client would take the answer for what it asked for. */
const isWhole = ({ status, complete }: Answer): boolean => (status === 200 || status === 206) && complete;

/** A promise that the test keeps until it wants it. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

/** Reads a blob and hangs up after the first piece. Resolves when the connection is closed. */
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
  ])('that is %s comes whole and with its headers, from the upstream and then from the cache', async (_name, blob) => {
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
    expect(lab.asked('/blobs/')).toEqual([`GET ${pathOf(blob)}`]);
    expect(await filesIn('tmp')).toEqual([]);
    expect((await readFile(blobFile(blob.digest.hex))).equals(blob.body)).toBe(true);
  });

  it('of the algorithm sha512 is verified and kept beside the others', async () => {
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
    expect(lab.asked('/blobs/')).toEqual([`HEAD ${pathOf(large)}`, `GET ${pathOf(large)}`]);
  });

  it('that the client has already is a 304', async () => {
    await gateway.get(pathOf(small));
    const answer = await gateway.get(pathOf(small), { 'if-none-match': `"${small.digest.text}"` });
    expect(answer).toMatchObject({ status: 304, body: Buffer.alloc(0) });
  });

  it('that does not exist is a 404', async () => {
    const answer = await gateway.get(`/v2/app/blobs/sha256:${'0'.repeat(64)}`);
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ errors: [{ code: 'BLOB_UNKNOWN' }] });
    expect((await gateway.head(`/v2/app/blobs/sha256:${'0'.repeat(64)}`)).status).toBe(404);
    expect(await filesIn('tmp')).toEqual([]);
  });

  it('whose length the upstream hides has that of the manifest', async () => {
    lab.behaviour.hideLength = true;
    await gateway.get('/v2/app/manifests/v1');
    const answer = await gateway.get(pathOf(large));
    expect(answer.headers['content-length']).toBe(String(large.body.byteLength));
    expect(answer.body.equals(large.body)).toBe(true);
  });

  it('whose length nobody says comes in chunks', async () => {
    lab.behaviour.hideLength = true;
    const answer = await gateway.get(pathOf(large));
    expect(answer.headers['content-length']).toBeUndefined();
    expect(answer.body.equals(large.body)).toBe(true);
  });
});

describe('many clients of one cold blob', () => {
  it('cost the upstream one request', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => gateway.get(pathOf(large))));
    expect(answers.every(({ body }) => body.equals(large.body))).toBe(true);
    expect(lab.asked('/blobs/')).toEqual([`GET ${pathOf(large)}`]);
  });

  it('are each served at their own pace: a slow one holds up neither the download nor the others', async () => {
    const controller = new AbortController();
    const slow = await fetch(`http://127.0.0.1:${gateway.port}${pathOf(large)}`, { signal: controller.signal });
    expect(slow.status).toBe(200);
    expect((await gateway.get(pathOf(large))).body.equals(large.body)).toBe(true);
    await expect.poll(() => filesIn('blobs/sha256'), patiently).toHaveLength(1);
    expect(Buffer.from(await slow.arrayBuffer()).equals(large.body)).toBe(true);
    expect(lab.asked('/blobs/')).toHaveLength(1);
  });

  it('get the first bytes while the rest is still on its way', async () => {
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

describe('a blob that is not what its digest says', () => {
  it.each([false, true])('never comes whole to anyone, and is not kept (length hidden: %s)', async (hideLength) => {
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

  it('is answered with 502 while nothing of it has been sent', async () => {
    lab.behaviour.corrupt = true;
    const tiny = content('', Buffer.from('x'));
    lab.putBlob('app', tiny);
    const answer = await gateway.get(pathOf(tiny));
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ errors: [{ code: 'UNKNOWN' }] });
  });

  it('is fetched anew by the next client, and then comes whole', async () => {
    lab.behaviour.corrupt = true;
    expect(isWhole(await gateway.get(pathOf(large)))).toBe(false);
    lab.behaviour.corrupt = false;
    expect((await gateway.get(pathOf(large))).body.equals(large.body)).toBe(true);
  });
});

describe('a blob that breaks off', () => {
  it.each([false, true])('is not kept and never ends properly (length hidden: %s)', async (hideLength) => {
    lab.behaviour.truncateAt = mebibyte;
    lab.behaviour.hideLength = hideLength;
    const answers = await Promise.all([gateway.get(pathOf(large)), gateway.get(pathOf(large))]);
    expect(answers.filter(isWhole)).toEqual([]);
    expect(await filesIn('blobs/sha256')).toEqual([]);
    await expect.poll(() => filesIn('tmp'), patiently).toEqual([]);
    // A client that comes late does not find the first download any more, and has one of its own.
    const downloads = lab.asked(pathOf(large)).length;
    expect(downloads).toBeLessThanOrEqual(answers.length);
    expect(gateway.counted('blob_rejected', 'lab')).toBe(downloads);
  });
});

describe('a blob whose size nobody states', () => {
  beforeEach(async () => {
    lab.behaviour.hideLength = true;
    await gateway.reopen({ undeclaredBlobBytesMax: mebibyte });
  });

  it('is broken off beyond its maximum, and leaves nothing behind', async () => {
    const answer = await gateway.get(pathOf(large));
    expect(answer.complete && answer.status === 200).toBe(false);
    expect(answer.body.byteLength).toBeLessThan(2 * mebibyte);
    await expect.poll(() => filesIn('tmp'), patiently).toEqual([]);
    expect(await filesIn('blobs/sha256')).toEqual([]);
    expect(JSON.stringify(gateway.logs)).toContain(
      'sent more than 1048576 bytes of a blob whose size it does not state',
    );
  });

  it('is served within its maximum', async () => {
    expect((await gateway.get(pathOf(small))).body.equals(small.body)).toBe(true);
  });

  it('is broken off, too, where the disk takes nothing', async () => {
    await rm(join(gateway.directory, 'tmp'), { recursive: true });
    const answer = await gateway.get(pathOf(large));
    expect(answer.complete && answer.status === 200).toBe(false);
    expect(answer.body.byteLength).toBeLessThanOrEqual(mebibyte);
  });
});

describe('when all clients leave', () => {
  it('before half of the blob is there, its download is given up', async () => {
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

  it('after half of the blob is there, its download is finished', async () => {
    const { opened, open } = gate();
    lab.behaviour.gate = { at: 3 * mebibyte, opened };
    await readAndLeave(pathOf(large), 3 * mebibyte - 1);
    await sleep(50);
    open();
    await expect.poll(() => filesIn('blobs/sha256'), patiently).toEqual([large.digest.hex]);
    expect((await gateway.get(pathOf(large))).body.equals(large.body)).toBe(true);
    expect(lab.asked('/blobs/')).toHaveLength(1);
  });

  it('before the upstream has answered, it is not kept waiting', async () => {
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
    await expect.poll(() => lab.asked('/blobs/'), patiently).toHaveLength(1);
    controller.abort();
    await expect(answer).rejects.toThrow('aborted');
    await expect.poll(() => closed, patiently).toBe(true);
    open();
  });
});

describe('a cached blob whose file', () => {
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
    expect(lab.asked('/blobs/')).toHaveLength(1);
    expect(gateway.logs).toMatchObject([{ level: 'warn' }]);
  });
});
