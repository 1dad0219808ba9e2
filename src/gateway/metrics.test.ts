import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { lint } from '../metric/index.ts';
import { TestGateway } from './testing/gateway.ts';
import { bytesOf, content, image, index } from './testing/images.ts';
import { until } from './testing/until.ts';
import { TestUpstream } from './testing/upstream.ts';

const single = image({ name: 'single' });
const list = index([[single, 'amd64']]);
const large = content('', bytesOf(1_000_000, 3));
const blob = single.blobs[1] ?? single;
const blobPath = `/v2/app/blobs/${blob.digest.text}`;
const largePath = `/v2/app/blobs/${large.digest.text}`;
const upstream = 'lab';

let lab: TestUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  lab = await TestUpstream.start();
  lab.put('app', single, 'v1');
  lab.put('app', list, 'list');
  lab.putBlob('app', large);
});

afterAll(() => lab.stop());

beforeEach(async () => {
  lab.reset();
  gateway = await TestGateway.start({ lab });
});

afterEach(() => gateway.remove());

/** Samples of several families with the label `upstream`, by family. */
function samples(...names: string[]): Record<string, number | undefined> {
  return Object.fromEntries(names.map((name) => [name, gateway.sample(name, { upstream })]));
}

describe('manifest pulls', () => {
  it('are GETs answered 200, for indexes and images, cached or from upstream', async () => {
    for (const reference of ['v1', 'list', 'v1', single.digest.text])
      await gateway.get(`/v2/app/manifests/${reference}`);
    expect(samples('cached_pulls', 'upstream_pulls', 'manifest_pulls')).toEqual({
      cached_pulls: 2,
      upstream_pulls: 2,
      manifest_pulls: 4,
    });
  });

  it.each([
    ['a HEAD', 'HEAD', '/v2/app/manifests/v1', {}],
    ['a 304', 'GET', '/v2/app/manifests/v1', { 'if-none-match': '*' }],
    ['a 404', 'GET', '/v2/app/manifests/none', {}],
  ])('do not include %s', async (_name, method, path, headers) => {
    await gateway.ask(method, path, headers);
    expect(samples('cached_pulls', 'upstream_pulls', 'manifest_pulls')).toEqual({
      cached_pulls: 0,
      upstream_pulls: 0,
      manifest_pulls: 0,
    });
  });

  it('count HEADs in separate series', async () => {
    await gateway.head('/v2/app/manifests/v1');
    await gateway.head('/v2/app/manifests/v1');
    expect(gateway.sample('manifest_heads', { upstream, source: 'upstream' })).toBe(1);
    expect(gateway.sample('manifest_heads', { upstream, source: 'cached' })).toBe(1);
  });

  it('count joined fetches as cached and as coalesced waits', async () => {
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => (open = resolve));
    lab.behaviour.intercept = (_request, response) => {
      lab.behaviour.intercept = () => false;
      void opened.then(() => response.writeHead(200, { 'content-type': single.mediaType }).end(single.body));
      return true;
    };
    const pulls = [1, 2, 3].map(() => gateway.get('/v2/app/manifests/v1'));
    await until('two wait', () => gateway.sample('coalesced_waits', { upstream, route: 'manifest' }) === 2);
    expect(gateway.sample('requests_in_flight', { route: 'manifest' })).toBe(3);
    open();
    await Promise.all(pulls);
    expect(samples('cached_pulls', 'upstream_pulls')).toEqual({ cached_pulls: 2, upstream_pulls: 1 });
    expect(gateway.sample('requests_in_flight')).toBe(0);
  });
});

describe('the source of a response', () => {
  const observed = (route: string, cache: string): (number | undefined)[] =>
    ['request_duration_seconds', 'time_to_first_byte_seconds'].map((name) =>
      gateway.sample(name, { upstream, route, cache }),
    );

  it.each([
    ['manifest', 'miss', []],
    ['manifest', 'hit', ['/v2/app/manifests/v1']],
  ])('of a %s is %s', async (route, cache, before) => {
    for (const path of before) await gateway.get(path);
    await gateway.get('/v2/app/manifests/v1');
    expect(observed(route, cache)).toEqual([1, 1]);
  });

  it('of a confirmed tag is revalidated, and stale if the upstream fails', async () => {
    await gateway.get('/v2/app/manifests/v1');
    gateway.clock.advance(60_000);
    await gateway.get('/v2/app/manifests/v1');
    expect(observed('manifest', 'revalidated')).toEqual([1, 1]);
    gateway.clock.advance(60_000);
    lab.behaviour.intercept = (_request, response) => response.writeHead(500).end() !== undefined;
    await gateway.get('/v2/app/manifests/v1');
    expect(observed('manifest', 'stale')).toEqual([1, 1]);
    expect(samples('cached_pulls', 'upstream_pulls')).toEqual({ cached_pulls: 2, upstream_pulls: 1 });
  });

  it('of a blob is miss, then hit; coalesced if it joins a download; bypass for a range far ahead', async () => {
    let open = (): void => {};
    lab.behaviour.gate = { at: 500_000, opened: new Promise((resolve) => (open = resolve)) };
    const both = [gateway.get(largePath), gateway.get(largePath)];
    await until('one waits', () => gateway.sample('coalesced_waits', { upstream, route: 'blob' }) === 1);
    expect(gateway.sample('downloads_in_flight')).toBe(1);
    open();
    await Promise.all(both);
    await until('it is cached', () => gateway.sample('downloads_in_flight') === 0);
    await gateway.get(largePath);
    for (const cache of ['miss', 'coalesced', 'hit']) expect(observed('blob', cache)).toEqual([1, 1]);
    expect(gateway.sample('blob_pulls', { upstream })).toBe(3);
    expect(gateway.sample('served_bytes', { upstream, route: 'blob' })).toBe(3 * large.body.byteLength);
    expect(gateway.sample('fetched_bytes', { upstream })).toBe(large.body.byteLength);
  });

  it('of tag lists is miss, of errors failed', async () => {
    await gateway.get('/v2/app/tags/list');
    await gateway.get('/v2/app/manifests/none');
    expect(observed('tags', 'miss')).toEqual([1, 1]);
    expect(observed('manifest', 'failed')).toEqual([1, 1]);
  });

  it('has times measured from the request on', async () => {
    lab.behaviour.intercept = () => {
      gateway.clock.advance(90_000);
      return false;
    };
    await gateway.get('/v2/app/manifests/list');
    const family = gateway.metrics.gather().find(({ name }) => name.endsWith('gateway_request_duration_seconds'));
    const [point] = family?.type === 'histogram' ? [...family.points] : [];
    expect(point?.sum).toBe(90);
  });
});

describe('blob pulls', () => {
  it.each([
    ['whole', 'GET', blobPath, {}, 1],
    ['a range', 'GET', blobPath, { range: 'bytes=0-3' }, 1],
    ['an unsatisfiable range', 'GET', blobPath, { range: 'bytes=900-' }, 0],
    ['a HEAD', 'HEAD', blobPath, {}, 0],
    ['a blob that does not exist', 'GET', `/v2/app/blobs/sha256:${'0'.repeat(64)}`, {}, 0],
  ])('%s', async (_name, method, path, headers, expected) => {
    await gateway.get('/v2/app/manifests/v1');
    await gateway.ask(method, path, headers);
    expect(gateway.sample('blob_pulls', { upstream })).toBe(expected);
  });

  it('do not include a 304', async () => {
    await gateway.get(blobPath);
    await gateway.get(blobPath, { 'if-none-match': '*' });
    expect(gateway.sample('blob_pulls', { upstream })).toBe(1);
  });
});

describe('routes and errors', () => {
  it.each([
    ['base', 'GET', '/v2/'],
    ['manifest', 'GET', '/v2/app/manifests/none'],
    ['manifest', 'HEAD', '/v2/app/manifests/v1'],
    ['blob', 'GET', blobPath],
    ['blob', 'HEAD', blobPath],
    ['tags', 'GET', '/v2/app/tags/list'],
    ['manifest', 'GET', '/v2/unknown.example/app/manifests/v1'],
  ])('count a hit of %s by %s', async (route, method, path) => {
    await gateway.ask(method, path);
    expect(gateway.sample('endpoint_hits', { route, method })).toBe(1);
    expect(gateway.sample('endpoint_hits')).toBe(1);
  });

  it.each([
    ['PUT', '/v2/app/manifests/v1'],
    ['GET', '/v2/_catalog'],
    ['GET', '/v2/app/blobs/none'],
  ])('count no hit for %s %s', async (method, path) => {
    await gateway.ask(method, path);
    expect(gateway.sample('endpoint_hits')).toBe(0);
    expect(gateway.sample('api_errors')).toBe(1);
  });

  it.each([
    ['MANIFEST_UNKNOWN', '/v2/app/manifests/none'],
    ['BLOB_UNKNOWN', `/v2/app/blobs/sha256:${'0'.repeat(64)}`],
    ['NAME_UNKNOWN', '/v2/unknown.example/app/manifests/v1'],
    ['NAME_INVALID', '/v2/App/manifests/v1'],
    ['UNSUPPORTED', '/v2/_catalog'],
  ])('%s', async (code, path) => {
    await gateway.get(path);
    expect(gateway.sample('api_errors', { code })).toBe(1);
    expect(gateway.sample('api_errors')).toBe(1);
  });

  it('count an aborted body as an error, but not a client that disconnects', async () => {
    // The response has started before the upstream aborts. An earlier failure would be a complete 502.
    const { promise: opened, resolve: open } = Promise.withResolvers<void>();
    lab.behaviour.truncateAt = 300_000;
    lab.behaviour.gate = { at: 200_000, opened };
    const broken = await fetch(`http://127.0.0.1:${gateway.port}${largePath}`);
    open();
    await expect(broken.arrayBuffer()).rejects.toThrow(/terminated/);
    await until('nothing is in flight', () => gateway.sample('requests_in_flight') === 0);
    expect(gateway.sample('api_errors')).toBe(1);
    delete lab.behaviour.truncateAt;
    const abort = new AbortController();
    lab.behaviour.gate = { at: 600_000, opened: new Promise(() => {}) };
    const answer = await fetch(`http://127.0.0.1:${gateway.port}${largePath}`, { signal: abort.signal });
    abort.abort();
    await answer.arrayBuffer().catch(() => undefined);
    await until('nothing is in flight', () => gateway.sample('requests_in_flight') === 0);
    expect(gateway.sample('api_errors')).toBe(1);
  });
});

describe('an upstream', () => {
  it('has series of its statuses and of its remaining rate limit', async () => {
    lab.behaviour.intercept = (_request, response) => {
      response.setHeader('ratelimit-remaining', '76;w=21600');
      return false;
    };
    await gateway.get('/v2/app/manifests/v1');
    await gateway.get('/v2/app/manifests/none');
    const status = (text: string) => gateway.sample('upstream_responses', { upstream, status: text });
    expect(status('404')).toBe(1);
    // The manifest, the config with its facts, and `/v2/`, which has no challenge.
    expect(status('200')).toBe(3);
    expect(gateway.sample('upstream_rate_limit_remaining', { upstream })).toBe(76);
    expect(gateway.sample('upstream_response_duration_seconds', { upstream })).toBe(4);
  });

  it('has a series of requests without a response', async () => {
    lab.behaviour.intercept = (request) => request.destroy() !== undefined;
    expect((await gateway.get('/v2/app/manifests/v1')).status).toBe(502);
    expect(gateway.sample('upstream_unanswered', { upstream })).toBe(2);
    expect(gateway.sample('upstream_responses', { upstream })).toBeUndefined();
  });
});

it('all metric names pass the naming rules', async () => {
  await gateway.get('/v2/app/manifests/v1');
  const families = gateway.metrics.gather().filter(({ name }) => name.startsWith('tonnage_gateway_'));
  expect(families.length).toBeGreaterThan(25);
  expect(lint(families)).toEqual([]);
});
