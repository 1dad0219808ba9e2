import type { IncomingMessage, ServerResponse } from 'node:http';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { parseReference, type Reference } from '../../oci/index.ts';
import { connectionsOf } from '../testing/connections.ts';
import { TestClock } from '../testing/gateway.ts';
import { image } from '../testing/images.ts';
import { RecordingMeter } from '../testing/meter.ts';
import { TestUpstream } from '../testing/upstream.ts';
import { createUpstreamClient, type UpstreamClient } from './client.ts';
import type { Connections } from './connection.ts';
import { UpstreamError } from './failure.ts';

const manifest = image({});
const blob = manifest.blobs[1] ?? manifest;
const tag: Reference = parseReference('v1') ?? { kind: 'tag', tag: 'v1' };
const credentials = { username: 'puller', password: 's3cret' };
const basic = `Basic ${Buffer.from('puller:s3cret').toString('base64')}`;

let lab: TestUpstream;
let other: TestUpstream;
let connections: Connections;
let clock: TestClock;

beforeEach(async () => {
  lab = await TestUpstream.start();
  other = await TestUpstream.start();
  for (const each of [lab, other]) each.put('app', manifest, 'v1');
  connections = connectionsOf(lab.url);
  clock = new TestClock();
});

afterEach(async () => {
  await connections.destroy();
  await lab.stop();
  await other.stop();
});

function client(options: { readonly anonymous?: true; readonly realms?: readonly string[] } = {}): UpstreamClient {
  const { anonymous, realms = [] } = options;
  const meter = new RecordingMeter();
  const shared = { url: lab.url, userAgent: 'tonnage/test', connections, clock, meter, realms };
  return createUpstreamClient(anonymous === true ? shared : { ...shared, credentials });
}

async function failure(work: Promise<unknown>): Promise<UpstreamError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof UpstreamError) return error;
  throw new Error(`expected an UpstreamError, got ${String(error)}`);
}

const authorizations = (upstream: TestUpstream): readonly (string | undefined)[] =>
  upstream.requests.map(({ headers }) => headers.authorization);

const askedForBase = (): number => lab.requestsTo('/v2/').filter((asked) => asked === 'GET /v2/').length;

/** Answers requests without these credentials with a status but no challenge, which is only at `/v2/`. */
function hideBehind(status: number, challenge: string | undefined, wanted = basic): void {
  lab.behaviour.intercept = (request: IncomingMessage, response: ServerResponse) => {
    if (request.url?.startsWith('/token') === true || request.headers.authorization === wanted) return false;
    if (request.url === '/v2/' && challenge !== undefined) {
      response.writeHead(401, { 'www-authenticate': challenge }).end();
    } else response.writeHead(status).end('{}');
    return true;
  };
}

describe('configured credentials', () => {
  it.each([404, 403, 401])('are used if anonymous requests get %s without a challenge', async (status) => {
    hideBehind(status, 'Basic realm="lab"');
    const known = client();
    for (let round = 0; round < 2; round++) {
      expect((await known.getManifest('app', tag)).digest.text).toBe(manifest.digest.text);
    }
    expect(authorizations(lab)).toEqual([undefined, basic, basic]);
  });

  it.each([401, 403, 404])('are used if even /v2/ answers %s without a challenge', async (status) => {
    hideBehind(status, undefined);
    expect((await client().getManifest('app', tag)).digest.text).toBe(manifest.digest.text);
  });

  it('are used from the first request on, also by concurrent ones', async () => {
    lab.behaviour.basic = 'puller:s3cret';
    const known = client();
    await Promise.all(Array.from({ length: 20 }, () => known.headBlob('app', blob.digest)));
    expect(askedForBase()).toBe(1);
    expect(authorizations(lab).slice(1)).toEqual(Array(20).fill(basic));
  });

  it.each([500, 'broken', 'leading to no web address'])(
    'are used even if /v2/ is %s, which is requested again later',
    async (how) => {
      let isFailing = true;
      lab.behaviour.basic = 'puller:s3cret';
      lab.behaviour.intercept = (request, response) => {
        if (request.url !== '/v2/' || !isFailing) return false;
        if (how === 'broken') request.socket.destroy();
        else if (how === 500) response.writeHead(500).end();
        else response.writeHead(302, { location: 'ftp://elsewhere' }).end();
        return true;
      };
      const known = client();
      for (let round = 0; round < 2; round++) await known.headBlob('app', blob.digest);
      expect(askedForBase()).toBe(1);
      isFailing = false;
      clock.advance(60_000);
      for (let round = 0; round < 2; round++) await known.headBlob('app', blob.digest);
      expect(askedForBase()).toBe(2);
    },
  );

  it('are reported as rejected only if they were sent', async () => {
    hideBehind(403, 'Basic realm="lab"', 'nobody');
    expect(await failure(client().getManifest('app', tag))).toMatchObject({ kind: 'refused', credentials: 'sent' });
    expect(await failure(client({ anonymous: true }).getManifest('app', tag))).toMatchObject({
      kind: 'refused',
      credentials: 'none',
    });
  });

  it('are reported as rejected if the token endpoint rejected them', async () => {
    lab.behaviour.bearer = { credentials: 'somebody:else' };
    expect(await failure(client().getManifest('app', tag))).toMatchObject({ kind: 'refused', credentials: 'sent' });
  });

  it('are not sent if /v2/ redirects to another origin, to neither origin', async () => {
    lab.behaviour.intercept = (request, response) => {
      response.writeHead(301, { location: `${other.url}${request.url}` }).end();
      return true;
    };
    await client().getManifest('app', tag);
    expect(new Set([...authorizations(lab), ...authorizations(other)])).toEqual(new Set([undefined]));
  });

  it('are used if /v2/ redirects within the upstream', async () => {
    lab.behaviour.basic = 'puller:s3cret';
    lab.behaviour.intercept = (request, response) => {
      if (request.url !== '/v2/') return false;
      response.writeHead(302, { location: '/v2/app/tags/list' }).end();
      return true;
    };
    await client().getManifest('app', tag);
    expect(authorizations(lab)).toEqual([undefined, undefined, basic]);
  });
});

describe('a token endpoint on another origin', () => {
  const challenge = (): string => `Bearer realm="${other.url}/token",service="lab"`;

  beforeEach(() => {
    hideBehind(401, challenge(), 'Bearer token-0');
  });

  it('gets no credentials, only an anonymous request', async () => {
    await client().getManifest('app', tag);
    other.behaviour.bearer = { credentials: 'puller:s3cret' };
    expect(await failure(client().getManifest('app', tag))).toMatchObject({ kind: 'refused', credentials: 'withheld' });
    expect(authorizations(other)).toEqual([undefined, undefined]);
  });

  it('gets them if it is configured', async () => {
    other.behaviour.bearer = { credentials: 'puller:s3cret' };
    await client({ realms: [other.url] }).getManifest('app', tag);
    expect(authorizations(other)).toEqual([basic]);
  });

  it('is not requested if the upstream also offers Basic', async () => {
    hideBehind(401, `${challenge()}, Basic realm="lab"`);
    await client().getManifest('app', tag);
    expect(other.requests).toHaveLength(0);
  });
});

it('a token endpoint that has moved is found again', async () => {
  lab.behaviour.bearer = {};
  const anonymous = client({ anonymous: true });
  await anonymous.getManifest('app', tag);
  lab.behaviour.intercept = (request, response) => {
    if (request.url?.startsWith('/token') === true) response.writeHead(404).end();
    else if (request.url?.startsWith('/new-token') === true) response.end('{"token":"new"}');
    else if (request.headers.authorization === 'Bearer new') return false;
    else response.writeHead(401, { 'www-authenticate': `Bearer realm="${lab.url}/new-token"` }).end();
    return true;
  };
  lab.put('other', manifest, 'v1');
  delete lab.behaviour.bearer;
  await anonymous.getManifest('other', tag);
  expect(lab.requestsTo('/new-token')).toHaveLength(1);
});

it('a token rejected by a 401 without a challenge is replaced once', async () => {
  lab.behaviour.bearer = {};
  const anonymous = client({ anonymous: true });
  await anonymous.getManifest('app', tag);
  lab.requests.length = 0;
  lab.behaviour.intercept = (request, response) => {
    if (request.headers.authorization !== 'Bearer token-0') return false;
    response.writeHead(401).end();
    return true;
  };
  await anonymous.getManifest('app', tag);
  expect(authorizations(lab)).toEqual(['Bearer token-0', undefined, 'Bearer token-1']);
  lab.behaviour.intercept = (request, response) => {
    if (request.url?.startsWith('/token') === true) return false;
    response.writeHead(401).end();
    return true;
  };
  lab.requests.length = 0;
  expect(await failure(anonymous.getManifest('app', tag))).toMatchObject({ kind: 'refused' });
  expect(authorizations(lab)).toEqual(['Bearer token-1', undefined, 'Bearer token-2']);
});

it('an anonymous token is fetched if only /v2/ has the challenge', async () => {
  hideBehind(404, `Bearer realm="${lab.url}/token"`, 'Bearer token-0');
  const anonymous = client({ anonymous: true });
  await anonymous.getManifest('app', tag);
  await anonymous.getManifest('app', tag);
  expect(authorizations(lab)).toEqual([undefined, undefined, undefined, 'Bearer token-0', 'Bearer token-0']);
});

it('/v2/ of an upstream without a challenge is requested once, however many requests fail', async () => {
  const anonymous = client({ anonymous: true });
  for (const name of ['a', 'b', 'c']) await failure(anonymous.getManifest(name, tag));
  expect(askedForBase()).toBe(1);
});

describe('an upstream that redirects to a registry with its own tokens', () => {
  beforeEach(() => {
    other.behaviour.bearer = {};
    lab.behaviour.intercept = (request, response) => {
      if (request.url === '/v2/') return false;
      response.writeHead(307, { location: `${other.url}${request.url?.replace('/v2/vanity/', '/v2/')}` }).end();
      return true;
    };
  });

  it('is followed with an anonymous token, which is cached', async () => {
    const anonymous = client({ anonymous: true });
    for (let round = 0; round < 2; round++) await anonymous.getManifest('vanity/app', tag);
    expect(other.requestsTo('')).toEqual([
      'GET /v2/app/manifests/v1',
      'GET /token?service=test%2C+upstream&scope=repository%3Aapp%3Apull',
      ...Array(2).fill('GET /v2/app/manifests/v1'),
    ]);
    expect(authorizations(other)).toEqual([undefined, undefined, 'Bearer token-0', 'Bearer token-0']);
  });

  it('gets a token for the repository in the challenge', async () => {
    other.behaviour.intercept = (request, response) => {
      if (request.headers.authorization !== undefined || request.url?.startsWith('/token') === true) return false;
      const scope = 'scope="repository:real/name:pull,push"';
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${other.url}/token",${scope}` }).end();
      return true;
    };
    await client({ anonymous: true }).getManifest('vanity/app', tag);
    expect(other.requestsTo('/token')).toEqual(['GET /token?scope=repository%3Areal%2Fname%3Apull']);
  });

  it('keeps its credentials, even if the other registry redirects back', async () => {
    lab.behaviour.basic = 'puller:s3cret';
    other.behaviour.bearer = { credentials: 'puller:s3cret' };
    expect(await failure(client().getManifest('vanity/app', tag))).toMatchObject({ credentials: 'none' });
    expect(new Set(authorizations(other))).toEqual(new Set([undefined]));
    other.behaviour.intercept = (_request, response) => {
      response.writeHead(302, { location: `${lab.url}/v2/app/manifests/v1` }).end();
      return true;
    };
    lab.requests.length = 0;
    lab.behaviour.intercept = (request, response) => {
      if (request.url?.includes('vanity') !== true) return false;
      response.writeHead(307, { location: `${other.url}/there` }).end();
      return true;
    };
    expect(await failure(client().getManifest('vanity/app', tag))).toMatchObject({ credentials: 'none' });
    expect(authorizations(lab)).toEqual([undefined, basic, undefined]);
  });

  it('does not send Basic credentials to the other registry', async () => {
    other.behaviour = { basic: 'puller:s3cret' };
    await failure(client().getManifest('vanity/app', tag));
    expect(new Set(authorizations(other))).toEqual(new Set([undefined]));
  });
});
