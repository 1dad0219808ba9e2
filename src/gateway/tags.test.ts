import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';

import { TestGateway } from './testing/gateway.ts';
import { image, type TestImage } from './testing/images.ts';
import { TestUpstream } from './testing/upstream.ts';

const minuteMs = 60_000;

let lab: TestUpstream;
let gateway: TestGateway;
let count = 0;
let app: string;
let target: string;
let first: TestImage;
let second: TestImage;

beforeAll(async () => {
  lab = await TestUpstream.start();
  gateway = await TestGateway.start({ lab });
});

beforeEach(async () => {
  app = `app-${++count}`;
  target = `/v2/${app}/manifests/v1`;
  first = image({ name: `${app} first` });
  second = image({ name: `${app} second` });
  if (!lab.isRunning) lab = await TestUpstream.start(lab.port);
  lab.reset();
  lab.put(app, first, 'v1');
  await gateway.reset();
});

afterAll(async () => {
  await gateway.remove();
  await lab.stop();
});

/** Makes the upstream answer all manifest requests with this status, until it is called without one. */
function fail(status?: number, headers: Record<string, string> = {}, body = ''): void {
  delete lab.behaviour.intercept;
  if (status === undefined) return;
  lab.behaviour.intercept = (request, response) => {
    if (request.url?.includes('/manifests/') !== true) return false;
    response.writeHead(status, headers).end(request.method === 'HEAD' ? undefined : body);
    return true;
  };
}

async function digestOf(path = target): Promise<string | undefined> {
  return (await gateway.get(path)).headers['docker-content-digest']?.toString();
}

describe('a tag', () => {
  it('is served without revalidation for its time to live', async () => {
    await gateway.get(target);
    lab.put(app, second, 'v1');
    gateway.clock.advance(minuteMs - 1);
    expect(await digestOf()).toBe(first.digest.text);
    expect(lab.requestsTo('/manifests/')).toEqual([`GET ${target}`]);
  });

  it('that has not moved is confirmed by one HEAD per time to live', async () => {
    await gateway.get(target);
    gateway.clock.advance(minuteMs);
    expect(await digestOf()).toBe(first.digest.text);
    expect(await digestOf()).toBe(first.digest.text);
    expect(lab.requestsTo('/manifests/')).toEqual([`GET ${target}`, `HEAD ${target}`]);
  });

  it('that has moved is fetched again', async () => {
    await gateway.get(target);
    lab.put(app, second, 'v1');
    gateway.clock.advance(minuteMs);
    expect(await digestOf()).toBe(second.digest.text);
    expect(lab.requestsTo('/manifests/')).toEqual([`GET ${target}`, `HEAD ${target}`, `GET ${target}`]);
  });

  it('that has moved to a cached manifest is still fetched: HEAD alone never moves a tag', async () => {
    lab.put(app, second, 'v2');
    await gateway.get(target);
    await gateway.get(`/v2/${app}/manifests/v2`);
    lab.put(app, second, 'v1');
    gateway.clock.advance(minuteMs);
    expect(await digestOf()).toBe(second.digest.text);
    expect(lab.requestsTo('/manifests/').slice(2)).toEqual([`HEAD ${target}`, `GET ${target}`]);
  });

  it('is fetched by GET if the upstream states no digest', async () => {
    lab.behaviour.hideDigest = true;
    await gateway.get(target);
    lab.put(app, second, 'v1');
    gateway.clock.advance(minuteMs);
    expect(await digestOf()).toBe(second.digest.text);
  });

  it('is revalidated once for all concurrent requests', async () => {
    await gateway.get(target);
    gateway.clock.advance(minuteMs);
    await Promise.all(Array.from({ length: 20 }, () => gateway.get(target)));
    expect(lab.requestsTo('/manifests/')).toEqual([`GET ${target}`, `HEAD ${target}`]);
  });

  it('keeps its case', async () => {
    lab.put(app, second, 'V1');
    expect(await digestOf()).toBe(first.digest.text);
    expect(await digestOf(`/v2/${app}/manifests/V1`)).toBe(second.digest.text);
  });

  it('is forgotten when the upstream no longer has it', async () => {
    await gateway.get(target);
    lab.untag(app, 'v1');
    gateway.clock.advance(minuteMs);
    expect((await gateway.get(target)).status).toBe(404);
    await lab.stop();
    expect((await gateway.get(target)).status).toBe(502);
  });

  it('is revalidated when the clock was set back', async () => {
    await gateway.get(target);
    gateway.clock.advance(-minuteMs);
    await gateway.get(target);
    expect(lab.requestsTo('/manifests/')).toHaveLength(2);
  });
});

describe('a stale tag is served, with a warning and counted,', () => {
  async function expectStale(): Promise<void> {
    const answer = await gateway.get(target);
    expect(answer).toMatchObject({ status: 200, body: first.body });
    expect(answer.headers.warning).toBe('110 - "Response is Stale"');
    expect(gateway.pulls).toHaveLength(2);
    expect(gateway.logs).toMatchObject([{ level: 'warn', message: 'serving a stale tag' }]);
  }

  beforeEach(async () => {
    await gateway.get(target);
    gateway.clock.advance(minuteMs);
  });

  it.each([429, 500, 502, 503, 504])('when the upstream answers %s', async (status) => {
    fail(status);
    await expectStale();
  });

  it.each([401, 403])('when it was fetched anonymously and the upstream answers %s', async (status) => {
    fail(status);
    await expectStale();
  });

  it('when the upstream is unreachable', async () => {
    await lab.stop();
    await expectStale();
  });

  it('when the upstream closes the connection', async () => {
    lab.behaviour.intercept = (request) => {
      request.socket.destroy();
      return true;
    };
    await expectStale();
  });

  it('when the new manifest is unavailable', async () => {
    lab.put(app, { ...second, digest: first.blobs[0]?.digest ?? second.digest }, 'v1');
    await expectStale();
  });

  it('and the upstream is not requested for a while, then again', async () => {
    fail(500);
    await gateway.get(target);
    const asked = lab.requests.length;
    await gateway.get(target);
    expect(lab.requests).toHaveLength(asked);
    fail();
    gateway.clock.advance(5_000);
    expect((await gateway.get(target)).headers.warning).toBeUndefined();
  });

  it('and a 304 has the warning, too', async () => {
    fail(500);
    const answer = await gateway.get(target, { 'if-none-match': `"${first.digest.text}"` });
    expect(answer.status).toBe(304);
    expect(answer.headers.warning).toBe('110 - "Response is Stale"');
  });
});

describe.each([404, 405, 501, 403])('an upstream that answers HEAD with %s', (status) => {
  let ours: TestGateway;

  beforeEach(async () => {
    ours = await TestGateway.start({ lab });
    lab.behaviour.intercept = (request, response) => {
      if (request.method !== 'HEAD') return false;
      response.writeHead(status).end();
      return true;
    };
  });

  afterEach(() => ours.remove());

  it('has tags that are revalidated by GET, and each pull counts', async () => {
    const served: unknown[] = [];
    for (let round = 0; round < 4; round++) {
      if (round === 2) lab.put(app, second, 'v1');
      const { headers, body } = await ours.get(target);
      served.push([headers.warning, body]);
      ours.clock.advance(minuteMs);
    }
    expect(served).toEqual([first, first, second, second].map((each) => [undefined, each.body]));
    expect(ours.pulls).toHaveLength(4);
    expect(lab.requestsTo('/manifests/').filter((line) => line.startsWith('HEAD'))).toHaveLength(1);
  });

  it('has tags that are forgotten when GET finds none', async () => {
    await ours.get(target);
    lab.untag(app, 'v1');
    ours.clock.advance(minuteMs);
    expect((await ours.get(target)).status).toBe(404);
  });
});

describe('an upstream with credentials', () => {
  const credentials = { username: 'gateway', password: 'hidden-word' };

  let ours: TestGateway;

  beforeEach(async () => {
    lab.behaviour.basic = 'gateway:hidden-word';
    ours = await TestGateway.start({ lab }, { credentials });
    await ours.get(target);
    ours.clock.advance(minuteMs);
  });

  afterEach(() => ours.remove());

  it.each([401, 403])(
    'that now answers %s: nothing is served stale, and the error states the reason',
    async (status) => {
      fail(status);
      const answer = await ours.get(target);
      expect(answer.status).toBe(502);
      expect(JSON.parse(answer.body.toString())).toEqual({
        errors: [{ code: 'DENIED', message: `upstream lab rejected the gateway's credentials (answered ${status})` }],
      });
      expect(answer.body.toString()).not.toContain('hidden-word');
    },
  );

  it('that now answers 500: the tag is served stale', async () => {
    fail(500);
    expect((await ours.get(target)).headers.warning).toBeDefined();
  });
});

describe('an uncached manifest gets an error', () => {
  const said = (code: string): string => JSON.stringify({ errors: [{ code, message: 'x' }] });

  it.each([
    [404, said('MANIFEST_UNKNOWN'), 404, 'MANIFEST_UNKNOWN'],
    [404, said('NAME_UNKNOWN'), 404, 'NAME_UNKNOWN'],
    [404, '<html>', 404, 'MANIFEST_UNKNOWN'],
    [401, said('UNAUTHORIZED'), 502, 'DENIED'],
    [401, said('NAME_UNKNOWN'), 404, 'NAME_UNKNOWN'],
    [403, said('DENIED'), 502, 'DENIED'],
    [429, said('TOOMANYREQUESTS'), 429, 'TOOMANYREQUESTS'],
    [500, '', 502, 'UNAVAILABLE'],
    [503, 'x'.repeat(100_000), 502, 'UNAVAILABLE'],
    [418, '', 502, 'UNKNOWN'],
    [204, '', 502, 'UNKNOWN'],
  ])('when the upstream answers %s %s: %s %s', async (status, body, expected, code) => {
    fail(status, {}, body);
    const answer = await gateway.get(target);
    expect(answer.status).toBe(expected);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ errors: [{ code }] });
    expect(gateway.pulls).toEqual([]);
  });

  it('when the upstream is unreachable: 502, without its address', async () => {
    await lab.stop();
    const answer = await gateway.get(target);
    expect(answer.status).toBe(502);
    expect(answer.body.toString()).toContain('upstream lab could not be reached (ECONNREFUSED)');
    expect(answer.body.toString()).not.toContain('127.0.0.1');
  });
});

test('while Retry-After of a throttling upstream has not passed, requests for the repository fail at once', async () => {
  fail(429, { 'retry-after': '30' });
  expect((await gateway.get(target)).headers['retry-after']).toBe('30');
  const asked = lab.requests.length;
  gateway.clock.advance(10_000);
  const answer = await gateway.get(`/v2/${app}/manifests/v2`);
  expect([answer.status, answer.headers['retry-after']]).toEqual([429, '20']);
  expect(lab.requests).toHaveLength(asked);
  fail();
  gateway.clock.advance(20_000);
  expect((await gateway.get(target)).status).toBe(200);
});

test('a digest is never revalidated', async () => {
  const path = `/v2/${app}/manifests/${first.digest.text}`;
  await gateway.get(path);
  gateway.clock.advance(1_000 * minuteMs);
  await lab.stop();
  expect((await gateway.get(path)).body).toEqual(first.body);
});
