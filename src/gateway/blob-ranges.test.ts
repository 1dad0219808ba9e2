import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { TestGateway, type Answer } from './testing/gateway.ts';
import { bytesOf, content, image } from './testing/images.ts';
import { TestUpstream } from './testing/upstream.ts';
import { patiently, until } from './testing/until.ts';

const mebibyte = 1024 * 1024;
const large = content('application/octet-stream', bytesOf(20 * mebibyte, 2));
const size = large.body.byteLength;
const small = content('application/octet-stream', Buffer.from('0123456789'));
const path = `/v2/app/blobs/${large.digest.text}`;
const smallPath = `/v2/app/blobs/${small.digest.text}`;

let lab: TestUpstream;
let gateway: TestGateway;

beforeEach(async () => {
  lab = await TestUpstream.start();
  lab.put('app', image({ layers: [large.body, small.body] }), 'v1');
  gateway = await TestGateway.start({ lab });
});

afterEach(async () => {
  await gateway.remove();
  await lab.stop();
});

const cached = (): Promise<string[]> => readdir(join(gateway.directory, 'blobs/sha256'));

function expectPart(answer: Answer, start: number, end: number, whole = large.body): void {
  expect(answer.status).toBe(206);
  expect(answer.headers['content-range']).toBe(`bytes ${start}-${end - 1}/${whole.byteLength}`);
  expect(answer.headers['content-length']).toBe(String(end - start));
  expect(answer.complete).toBe(true);
  expect(answer.body.equals(whole.subarray(start, end))).toBe(true);
}

describe('a range of a cached blob', () => {
  beforeEach(async () => {
    await gateway.get(smallPath);
    await until('it is cached', async () => (await cached()).length === 1);
  });

  it.each([
    ['bytes=0-4', 0, 5],
    ['bytes=5-', 5, 10],
    ['bytes=-3', 7, 10],
    ['bytes=2-500', 2, 10],
  ])('%s gets a partial response', async (range, start, end) => {
    expectPart(await gateway.get(smallPath, { range }), start, end, small.body);
    expect(lab.requestsTo('/blobs/')).toHaveLength(1);
  });

  it('that is unsatisfiable gets 416 with the size', async () => {
    const answer = await gateway.get(smallPath, { range: 'bytes=10-' });
    expect(answer.status).toBe(416);
    expect(answer.headers['content-range']).toBe('bytes */10');
    expect(JSON.parse(answer.body.toString())).toMatchObject({ errors: [{ code: 'RANGE_INVALID' }] });
  });

  it.each([['bytes=0-1,4-5'], ['bytes=5-2'], ['lines=1-2'], ['nonsense']])('%s gets the whole blob', async (range) => {
    const answer = await gateway.get(smallPath, { range });
    expect(answer).toMatchObject({ status: 200, body: small.body });
  });

  it('applies only if If-Range matches the blob', async () => {
    const headers = { range: 'bytes=0-4' };
    expectPart(await gateway.get(smallPath, { ...headers, 'if-range': `"${small.digest.text}"` }), 0, 5, small.body);
    expect((await gateway.get(smallPath, { ...headers, 'if-range': '"another"' })).status).toBe(200);
    expect((await gateway.get(smallPath, { ...headers, 'if-range': 'Sat, 01 Jan 2000 00:00:00 GMT' })).status).toBe(
      200,
    );
  });
});

describe('a range of a blob that is not cached', () => {
  it.each([
    ['at its start', 0],
    ['near its start', 8 * mebibyte],
  ])('%s starts its download', async (_name, start) => {
    expectPart(await gateway.get(path, { range: `bytes=${start}-${start + 99}` }), start, start + 100);
    await expect.poll(cached, patiently).toHaveLength(1);
    expectPart(await gateway.get(path, { range: 'bytes=-1000' }), size - 1_000, size);
    expect(lab.requestsTo('/blobs/')).toHaveLength(1);
  });

  it('far ahead comes directly from the upstream, and nothing is cached', async () => {
    const start = 8 * mebibyte + 1;
    expectPart(await gateway.get(path, { range: `bytes=${start}-${start + 99}` }), start, start + 100);
    expect(lab.requests.at(-1)?.headers.range).toBe(`bytes=${start}-${start + 99}`);
    expect(await cached()).toEqual([]);
  });

  it('far ahead is aborted when its client disconnects, which is not an error of the upstream', async () => {
    lab.behaviour.gate = { at: 1, opened: new Promise(() => {}) };
    const controller = new AbortController();
    const headers = { range: `bytes=${9 * mebibyte}-` };
    const answer = await fetch(`http://127.0.0.1:${gateway.port}${path}`, { headers, signal: controller.signal });
    expect(answer.status).toBe(206);
    controller.abort();
    await expect.poll(() => lab.open, patiently).toBe(0);
    expect(gateway.counted('blob_rejected', 'lab')).toBe(0);
    expect(gateway.logs).toEqual([]);
  });

  it('at its end comes directly from the upstream, even if the size is unknown', async () => {
    expectPart(await gateway.get(path, { range: 'bytes=-100' }), size - 100, size);
    expect(await cached()).toEqual([]);
  });

  it('works with an upstream that ignores ranges', async () => {
    lab.behaviour.ignoreRange = true;
    const start = 10 * mebibyte;
    expectPart(await gateway.get(path, { range: `bytes=${start}-${start + 99}` }), start, start + 100);
  });

  it.each([false, true])(
    'that is unsatisfiable gets 416 with the size (upstream ignores ranges: %s)',
    async (ignore) => {
      lab.behaviour.ignoreRange = ignore;
      const answer = await gateway.get(path, { range: `bytes=${size}-` });
      expect([answer.status, answer.headers['content-range']]).toEqual([416, `bytes */${size}`]);
      const smaller = await gateway.get(smallPath, { range: 'bytes=10-20' });
      expect([smaller.status, smaller.headers['content-range']]).toEqual([416, 'bytes */10']);
    },
  );

  it('of unknown size waits for the end of the download', async () => {
    lab.behaviour.hideLength = true;
    expectPart(await gateway.get(smallPath, { range: 'bytes=2-4' }), 2, 5, small.body);
  });

  it('that does not exist gets 404', async () => {
    const absent = `/v2/app/blobs/sha256:${'0'.repeat(64)}`;
    expect((await gateway.get(absent, { range: 'bytes=0-1' })).status).toBe(404);
    expect((await gateway.get(absent, { range: 'bytes=-1' })).status).toBe(404);
  });
});

describe('a range of a blob in progress', () => {
  let open = (): void => {};
  let whole: Promise<Answer>;

  beforeEach(async () => {
    await gateway.get('/v2/app/manifests/v1');
    lab.behaviour.gate = { at: mebibyte, opened: new Promise((resolve) => (open = resolve)) };
    let received = 0;
    whole = gateway.ask('GET', path, {}, (bytes) => (received = bytes));
    await until('a part is there', () => received === mebibyte - 1);
  });

  it('near the download waits for it, and is complete only after the digest is verified', async () => {
    let received = 0;
    const near = gateway.ask('GET', path, { range: 'bytes=0-9999' }, (bytes) => (received = bytes));
    await expect.poll(() => received, patiently).toBe(9_999);
    const next = gateway.get(path, { range: `bytes=${9 * mebibyte - 1}-${9 * mebibyte}` });
    open();
    expectPart(await near, 0, 10_000);
    expectPart(await next, 9 * mebibyte - 1, 9 * mebibyte + 1);
    expect((await whole).body.equals(large.body)).toBe(true);
    expect(lab.requestsTo(large.digest.text)).toHaveLength(1);
  });

  it('far ahead of the download gets its own request', async () => {
    const start = 9 * mebibyte + 1;
    const far = gateway.get(path, { range: `bytes=${start}-` });
    await expect.poll(() => lab.requestsTo(large.digest.text), patiently).toHaveLength(2);
    open();
    expectPart(await far, start, size);
    expect((await whole).body.equals(large.body)).toBe(true);
  });
});
