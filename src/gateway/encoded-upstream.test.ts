import { gzipSync } from 'node:zlib';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { parseRange, satisfy } from './range.ts';
import { TestGateway } from './testing/gateway.ts';
import { bytesOf, content, image, type Content } from './testing/images.ts';
import { TestUpstream } from './testing/upstream.ts';
import { until } from './testing/until.ts';

const mebibyte = 1024 * 1024;
const large = Buffer.concat([bytesOf(mebibyte, 1), Buffer.alloc(11 * mebibyte), bytesOf(mebibyte, 2)]);

let lab: TestUpstream;
let gateway: TestGateway;
let count = 0;
let app: string;
let manifest: Content;
let layer: Content;

beforeAll(async () => {
  lab = await TestUpstream.start();
  gateway = await TestGateway.start({ lab });
});

beforeEach(async () => {
  app = `app-${++count}`;
  lab.reset();
  await gateway.reset();
  const built = image({ name: app, architecture: 's390x', layers: [Buffer.concat([large, Buffer.from(app)])] });
  manifest = built;
  layer = built.blobs[1] ?? built;
  lab.put(app, built, 'v1');
  const encoded = new Map([built, ...built.blobs].map((each) => [each.digest.text, gzipSync(each.body)]));
  lab.behaviour.intercept = (request, response) => {
    const name = request.url?.split('/').at(-1) ?? '';
    const body = encoded.get(name === 'v1' ? built.digest.text : name);
    if (body === undefined) return false;
    const asked = parseRange(request.headers.range);
    const range = asked === null ? null : satisfy(asked, body.byteLength);
    const { start, end } = range ?? { start: 0, end: body.byteLength };
    response.writeHead(range === null ? 200 : 206, {
      'content-encoding': 'gzip',
      'content-length': end - start,
      ...(request.url?.includes('/manifests/') === true ? { 'content-type': built.mediaType } : {}),
      ...(range === null ? {} : { 'content-range': `bytes ${start}-${end - 1}/${body.byteLength}` }),
    });
    response.end(request.method === 'HEAD' ? undefined : body.subarray(start, end));
    return true;
  };
});

afterAll(async () => {
  await gateway.remove();
  await lab.stop();
});

const layerPath = (): string => `/v2/${app}/blobs/${layer.digest.text}`;

describe('an upstream that encodes every response', () => {
  it('gets its images served and counted unencoded', async () => {
    expect((await gateway.get(`/v2/${app}/manifests/v1`)).body).toEqual(manifest.body);
    expect(gateway.pulls).toMatchObject([{ arch: 's390x' }]);
    const answer = await gateway.get(layerPath());
    expect(answer.headers['content-length']).toBe(String(layer.body.byteLength));
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(answer.body.equals(layer.body)).toBe(true);
  });

  it('gets blobs of unknown size served and cached', async () => {
    const answer = await gateway.get(layerPath());
    expect(answer.headers['content-length']).toBeUndefined();
    expect(answer.body.equals(layer.body)).toBe(true);
    await until('it is cached', () => gateway.sample('downloads_in_flight') === 0);
    const { headers } = await gateway.head(layerPath());
    expect(headers['content-length']).toBe(String(layer.body.byteLength));
  });

  it('does not change the size of its blobs', async () => {
    const answer = await gateway.head(layerPath());
    expect([answer.status, answer.headers['content-length']]).toEqual([200, undefined]);
  });

  it.each([
    [0, 9],
    [12 * mebibyte, 12 * mebibyte + 99],
  ])('gets the range from %s to %s served', async (first, last) => {
    await gateway.get(`/v2/${app}/manifests/v1`);
    const answer = await gateway.get(layerPath(), { range: `bytes=${first}-${last}` });
    expect([answer.status, answer.headers['content-range']]).toEqual([
      206,
      `bytes ${first}-${last}/${layer.body.byteLength}`,
    ]);
    expect(answer.body).toEqual(layer.body.subarray(first, last + 1));
  });

  it('gets 502 for a blob with a wrong digest', async () => {
    const other = content('', Buffer.from('something else'));
    await gateway.get(`/v2/${app}/manifests/v1`);
    lab.behaviour.intercept = (_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(other.body));
      return true;
    };
    expect((await gateway.get(layerPath())).status).not.toBe(200);
    expect(gateway.counted('blob_rejected', 'lab')).toBe(1);
  });

  it('is aborted if a blob grows beyond the size in its manifest', async () => {
    await gateway.get(`/v2/${app}/manifests/v1`);
    lab.behaviour.intercept = (_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(layer.body.byteLength * 4)));
      return true;
    };
    expect((await gateway.get(layerPath())).complete).toBe(false);
    expect(gateway.logs.map(({ fields }) => JSON.stringify(fields)).join()).toContain('sent more than');
  });
});
