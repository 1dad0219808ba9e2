import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { parseReference, type Reference } from '../../oci/index.ts';
import { connectionsOf } from '../testing/connections.ts';
import { TestClock } from '../testing/gateway.ts';
import { content, image } from '../testing/images.ts';
import { RecordingMeter } from '../testing/meter.ts';
import { TestUpstream } from '../testing/upstream.ts';
import { createUpstreamClient, type UpstreamClient } from './client.ts';
import type { Connections } from './connection.ts';
import { UpstreamError } from './failure.ts';
import { abandon, readBody } from './send.ts';

const manifest = image({});
const blob = manifest.blobs[1] ?? manifest;
const tag = (text: string): Reference => parseReference(text) ?? { kind: 'tag', tag: text };
const credentials = { username: 'gateway', password: 'p:ä"x' };
const credentialText = `${credentials.username}:${credentials.password}`;
const basicValue = `Basic ${Buffer.from(credentialText).toString('base64')}`;

let lab: TestUpstream;
let connections: Connections;
let clock: TestClock;
let meter: RecordingMeter;
let anonymous: UpstreamClient;
let known: UpstreamClient;

beforeEach(async () => {
  lab = await TestUpstream.start();
  lab.put('app', manifest, 'v1');
  lab.put('other', manifest, 'v1');
  clock = new TestClock();
  meter = new RecordingMeter();
  connections = connectionsOf(lab.url, { meter });
  const shared = { url: lab.url, userAgent: 'tonnage/test', connections, clock, meter };
  anonymous = createUpstreamClient(shared);
  known = createUpstreamClient({ ...shared, credentials });
});

afterEach(async () => {
  await connections.destroy();
  await lab.stop();
});

const failureKind = async (work: Promise<unknown>): Promise<string> => {
  const error: unknown = await work.then(
    () => 'none',
    (thrown: unknown) => thrown,
  );
  return error instanceof UpstreamError ? error.kind : String(error);
};

async function wholeBlob(client: UpstreamClient): Promise<Buffer | null> {
  const answer = await client.getBlob('app', blob.digest);
  return readBody({ ...answer, headers: {}, origin: '' }, 1_000_000);
}

const authorizations = (text: string): readonly (string | undefined)[] =>
  lab.requests.filter(({ target }) => target.includes(text)).map(({ headers }) => headers.authorization);

describe('an upstream with bearer tokens', () => {
  beforeEach(() => {
    lab.behaviour.bearer = {};
  });

  it('gets one anonymous token per repository, which is reused', async () => {
    for (let round = 0; round < 3; round++) await anonymous.getManifest('app', tag('v1'));
    expect(lab.requestsTo('/token')).toEqual(['GET /token?service=test%2C+upstream&scope=repository%3Aapp%3Apull']);
    expect(authorizations('/v2/')).toEqual([undefined, 'Bearer token-0', 'Bearer token-0', 'Bearer token-0']);
    await anonymous.getManifest('other', tag('v1'));
    expect(lab.requestsTo('/token')).toHaveLength(2);
  });

  it('gets one token request for all concurrent requests', async () => {
    await anonymous.getManifest('app', tag('v1'));
    await Promise.all(
      Array.from({ length: 20 }, () => anonymous.changedManifest('other', tag('v1'), manifest.digest, 5_000)),
    );
    expect(lab.requestsTo('/token')).toHaveLength(2);
  });

  it('gets a new token request shortly before the old token expires', async () => {
    lab.behaviour.bearer = { expiresIn: 100 };
    await anonymous.getManifest('app', tag('v1'));
    clock.advance(89_999);
    await anonymous.getManifest('app', tag('v1'));
    expect(lab.requestsTo('/token')).toHaveLength(1);
    clock.advance(1);
    await anonymous.getManifest('app', tag('v1'));
    expect(lab.requestsTo('/token')).toHaveLength(2);
  });

  it('gets a new token request when it rejects the old token', async () => {
    await anonymous.getManifest('app', tag('v1'));
    let refusals = 1;
    lab.behaviour.intercept = (request, response) => {
      if (request.url?.includes('/v2/') !== true || refusals-- <= 0) return false;
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${lab.url}/token"` }).end();
      return true;
    };
    await anonymous.getManifest('app', tag('v1'));
    expect(authorizations('/v2/').slice(-2)).toEqual(['Bearer token-0', 'Bearer token-1']);
  });

  it('gets the credentials at its token endpoint only', async () => {
    lab.behaviour.bearer = { credentials: credentialText };
    await known.getManifest('app', tag('v1'));
    expect(authorizations('/token')).toEqual([`Basic ${Buffer.from(credentialText).toString('base64')}`]);
    expect(lab.requestsTo('/v2/')).toEqual(['GET /v2/', 'GET /v2/app/manifests/v1']);
    expect(authorizations('/v2/')).toEqual([undefined, 'Bearer token-0']);
  });

  it.each([
    { token: '', access_token: 'token-0' },
    { token: 'token-0', access_token: '' },
    { token: null, access_token: 'token-0' },
    { access_token: 'token-0' },
  ])('may send the token as %j', async (body) => {
    await anonymous.getManifest('other', tag('v1'));
    lab.behaviour.intercept = (request, response) => {
      if (request.url?.startsWith('/token') !== true) return false;
      response.end(JSON.stringify(body));
      return true;
    };
    expect((await anonymous.getManifest('app', tag('v1'))).body).toEqual(manifest.body);
  });

  it('rejects requests without a valid token', async () => {
    lab.behaviour.bearer = { credentials: credentialText };
    expect(await failureKind(anonymous.getManifest('app', tag('v1')))).toBe('refused');
  });

  it.each([
    ['{}', 'invalid'],
    ['{"token":"","access_token":""}', 'invalid'],
    ['not json', 'invalid'],
    [JSON.stringify({ token: 'a\r\nb' }), 'invalid'],
    [JSON.stringify({ token: 'x'.repeat(70_000) }), 'invalid'],
  ])('fails if it sends %s instead', async (body, kind) => {
    lab.behaviour.intercept = (request, response) => {
      if (request.url?.startsWith('/token') !== true) return false;
      response.end(body);
      return true;
    };
    expect(await failureKind(anonymous.getManifest('app', tag('v1')))).toBe(kind);
  });

  it('that does not send a token fails as soon as the client disconnects', async () => {
    lab.behaviour.intercept = (request) => request.url?.startsWith('/token') === true;
    const work = anonymous.changedManifest('app', tag('v1'), manifest.digest, 50);
    await expect(work).rejects.toThrow('could not be reached (TimeoutError)');
  });

  it('that throttles token requests is not requested until Retry-After has passed', async () => {
    lab.behaviour.intercept = (request, response) => {
      if (request.url?.startsWith('/token') !== true) return false;
      response.writeHead(429, { 'retry-after': '10' }).end();
      return true;
    };
    expect(await failureKind(anonymous.changedManifest('app', tag('v1'), manifest.digest, 5_000))).toBe('throttled');
    expect(await failureKind(anonymous.changedManifest('app', tag('v1'), manifest.digest, 5_000))).toBe('throttled');
    expect(lab.requestsTo('/token')).toHaveLength(1);
  });

  it('that rejects its own tokens is not requested for ever', async () => {
    lab.behaviour.intercept = (request, response) => {
      if (request.url?.includes('/v2/') !== true) return false;
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${lab.url}/token"` }).end();
      return true;
    };
    expect(await failureKind(anonymous.getManifest('app', tag('v1')))).toBe('refused');
    expect(lab.requestsTo('/v2/')).toHaveLength(2);
  });
});

describe('an upstream with Basic credentials', () => {
  it('gets them with each request after the challenge at /v2/', async () => {
    lab.behaviour.basic = credentialText;
    await known.getManifest('app', tag('v1'));
    await known.getManifest('app', tag('v1'));
    expect(lab.requestsTo('/v2/')).toEqual(['GET /v2/', ...Array(2).fill('GET /v2/app/manifests/v1')]);
    expect(authorizations('/v2/')).toEqual([undefined, basicValue, basicValue]);
  });

  it('rejects missing or wrong ones after one try', async () => {
    lab.behaviour.basic = 'somebody:else';
    expect(await failureKind(anonymous.getManifest('app', tag('v1')))).toBe('refused');
    expect(lab.requests).toHaveLength(1);
    expect(await failureKind(known.getManifest('app', tag('v1')))).toBe('refused');
    expect(authorizations('/v2/')).toEqual([undefined, undefined, basicValue]);
  });
});

describe('a redirect', () => {
  let elsewhere: TestUpstream;

  beforeEach(async () => {
    elsewhere = await TestUpstream.start();
    elsewhere.putBlob('app', blob);
  });

  afterEach(() => elsewhere.stop());

  it('is followed, and the credentials go to their own origin only', async () => {
    lab.behaviour.basic = credentialText;
    lab.behaviour.redirectBlobsTo = elsewhere.url;
    expect(await wholeBlob(known)).toEqual(blob.body);
    expect(elsewhere.requests[0]?.headers.authorization).toBeUndefined();
    expect(elsewhere.requests[0]?.headers['user-agent']).toBe('tonnage/test');
  });

  it('keeps the requested range', async () => {
    lab.behaviour.redirectBlobsTo = elsewhere.url;
    const answer = await known.getBlob('app', blob.digest, { range: 'bytes=0-3' });
    abandon(answer.body);
    expect(answer).toMatchObject({ status: 206, length: 4 });
  });

  it('to a host with a challenge gets no credentials', async () => {
    lab.behaviour.redirectBlobsTo = elsewhere.url;
    elsewhere.behaviour.basic = credentialText;
    expect(await failureKind(known.getBlob('app', blob.digest))).toBe('refused');
    expect(elsewhere.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it('to a throttling host does not block requests to the upstream', async () => {
    lab.behaviour.redirectBlobsTo = elsewhere.url;
    elsewhere.behaviour.intercept = (_request, response) => {
      response.writeHead(503, { 'retry-after': '10' }).end();
      return true;
    };
    expect(await failureKind(known.getBlob('app', blob.digest))).toBe('failing');
    expect(await known.changedManifest('app', tag('v1'), manifest.digest, 5_000)).toBeNull();
  });

  it('in a loop ends with an error', async () => {
    lab.behaviour.redirectBlobsTo = lab.url;
    expect(await failureKind(known.getBlob('app', blob.digest))).toBe('invalid');
    expect(lab.requestsTo('/blobs/')).toHaveLength(6);
  });

  it.each(['ftp://host/x', 'file:///etc/passwd', 'data:,x', ''])('to %j is not followed', async (location) => {
    lab.behaviour.intercept = (_request, response) => {
      response.writeHead(302, location === '' ? {} : { location }).end();
      return true;
    };
    expect(await failureKind(anonymous.getBlob('app', blob.digest))).toBe('invalid');
    expect(lab.requests).toHaveLength(1);
  });
});

describe('Retry-After', () => {
  const answerWith = (status: number, value: string): void => {
    lab.behaviour.intercept = (_request, response) => {
      response.writeHead(status, { 'retry-after': value }).end();
      return true;
    };
  };

  it.each([
    [429, '10', 10_000, 'throttled'],
    [503, '10', 10_000, 'failing'],
    [429, '100000', 300_000, 'throttled'],
  ])('of a %s, %s seconds, is obeyed for %s ms', async (status, value, waitMs, kind) => {
    answerWith(status, value);
    expect(await failureKind(anonymous.changedManifest('app', tag('v1'), manifest.digest, 5_000))).toBe(kind);
    clock.advance(waitMs - 1);
    expect(await failureKind(anonymous.changedManifest('app', tag('v1'), manifest.digest, 5_000))).toBe(kind);
    expect(lab.requests).toHaveLength(1);
    clock.advance(1);
    await failureKind(anonymous.changedManifest('app', tag('v1'), manifest.digest, 5_000));
    expect(lab.requests).toHaveLength(2);
  });

  it.each([429, 503])('of a %s for one repository does not affect others', async (status) => {
    lab.behaviour.intercept = (request, response) => {
      if (request.url?.startsWith('/v2/app/') !== true) return false;
      response.writeHead(status, { 'retry-after': '10' }).end();
      return true;
    };
    await failureKind(anonymous.getManifest('app', tag('v1')));
    await failureKind(anonymous.getBlob('app', blob.digest));
    expect((await anonymous.getManifest('other', tag('v1'))).body).toEqual(manifest.body);
    expect(lab.requests.map(({ target }) => target)).toEqual(['/v2/app/manifests/v1', '/v2/other/manifests/v1']);
  });

  it('of a token endpoint applies to the repository of the token', async () => {
    lab.behaviour.bearer = {};
    lab.behaviour.intercept = (request, response) => {
      if (request.url?.startsWith('/token') !== true || !request.url.includes('%3Aapp%3A')) return false;
      response.writeHead(429, { 'retry-after': '10' }).end();
      return true;
    };
    expect(await failureKind(anonymous.getManifest('app', tag('v1')))).toBe('throttled');
    const asked = lab.requests.length;
    expect(await failureKind(anonymous.getManifest('app', tag('v1')))).toBe('throttled');
    expect(lab.requests).toHaveLength(asked);
    expect((await anonymous.getManifest('other', tag('v1'))).body).toEqual(manifest.body);
  });

  it('may be a date', async () => {
    answerWith(429, new Date(clock.now() + 60_000).toUTCString());
    await failureKind(anonymous.changedManifest('app', tag('v1'), manifest.digest, 5_000));
    clock.advance(58_000);
    await failureKind(anonymous.changedManifest('app', tag('v1'), manifest.digest, 5_000));
    expect(lab.requests).toHaveLength(1);
  });

  it.each(['', 'soon', '-5', '0'])('of %j is ignored', async (value) => {
    answerWith(429, value);
    await failureKind(anonymous.changedManifest('app', tag('v1'), manifest.digest, 5_000));
    await failureKind(anonymous.changedManifest('app', tag('v1'), manifest.digest, 5_000));
    expect(lab.requests).toHaveLength(2);
  });
});

it('the URL of an upstream may have a path', async () => {
  const client = createUpstreamClient({ url: `${lab.url}/mirror`, userAgent: 'x', connections, clock, meter });
  await failureKind(client.headBlob('app', content('', Buffer.from('x')).digest));
  expect(lab.requests[0]?.target).toMatch(/^\/mirror\/v2\/app\/blobs\/sha256:/);
});
