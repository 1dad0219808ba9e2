import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { TestGateway, type Answer } from './testing/gateway.ts';
import { image } from './testing/images.ts';
import { TestUpstream } from './testing/upstream.ts';

const app = image({});
const credentials = { username: 'puller', password: 's3cret' };

let lab: TestUpstream;
let other: TestUpstream;
let gateway: TestGateway;

beforeEach(async () => {
  lab = await TestUpstream.start();
  other = await TestUpstream.start();
  for (const each of [lab, other]) each.put('team/app', app, 'v1');
  gateway = await TestGateway.start({ lab }, { credentials });
});

afterEach(async () => {
  await gateway.remove();
  await lab.stop();
  await other.stop();
});

const pull = (): Promise<Answer> => gateway.get('/v2/team/app/manifests/v1');

function messageOf({ body }: Answer): string {
  const { errors } = JSON.parse(body.toString()) as { errors: readonly { code: string; message: string }[] };
  return errors.map(({ code, message }) => `${code}: ${message}`).join();
}

describe('the error states how the credentials were used', () => {
  it('rejected, if the upstream got them', async () => {
    lab.behaviour.basic = 'somebody:else';
    expect(messageOf(await pull())).toBe("DENIED: upstream lab rejected the gateway's credentials (answered 401)");
  });

  it('withheld, if the token endpoint is on another domain', async () => {
    other.behaviour.bearer = { credentials: 'puller:s3cret' };
    lab.behaviour.intercept = (_request, response) => {
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${other.url}/token"` }).end();
      return true;
    };
    expect(messageOf(await pull())).toBe(
      'DENIED: upstream lab rejected anonymous access (answered 401): its token endpoint is on another domain and did not get the credentials; the key auth.realm permits that',
    );
  });

  it('not used, if a redirect target rejects the request', async () => {
    other.behaviour.basic = 'somebody:else';
    lab.behaviour.intercept = (request, response) => {
      response.writeHead(307, { location: `${other.url}${request.url}` }).end();
      return true;
    };
    expect(messageOf(await pull())).toMatch(/^DENIED: upstream lab rejected anonymous access \(answered 401\): /);
  });
});

it('an image behind a redirect to a registry with its own tokens is served, and counted once', async () => {
  lab.behaviour.basic = 'puller:s3cret';
  other.behaviour.bearer = {};
  lab.behaviour.intercept = (request, response) => {
    if (request.headers.authorization === undefined) return false;
    response.writeHead(301, { location: `${other.url}${request.url}` }).end();
    return true;
  };
  expect((await pull()).body).toEqual(app.body);
  for (const { digest, body } of app.blobs) {
    expect((await gateway.get(`/v2/team/app/blobs/${digest.text}`)).body).toEqual(body);
  }
  expect(gateway.pulls).toMatchObject([{ upstream: 'lab', repository: 'team/app', tag: 'v1', arch: 'amd64' }]);
  expect(other.requests.filter(({ headers }) => headers.authorization?.startsWith('Basic') === true)).toEqual([]);
});
