import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { limits } from '../../base/index.ts';
import type { Reference } from '../../oci/index.ts';
import { connectionsOf } from '../testing/connections.ts';
import { TestClock } from '../testing/gateway.ts';
import { bytesOf, content, image, index, type Content } from '../testing/images.ts';
import { RecordingMeter } from '../testing/meter.ts';
import { TestUpstream } from '../testing/upstream.ts';
import { createUpstreamClient, type UpstreamClient } from './client.ts';
import type { Connections } from './connection.ts';
import { UpstreamError } from './failure.ts';

const old = image({ name: 'old' });
const moved = image({ name: 'moved' });
const large = content('', bytesOf(8 * 1024 * 1024, 1));
const v1: Reference = { kind: 'tag', tag: 'v1' };

let lab: TestUpstream;
let connections: Connections;
let clock: TestClock;
let meter: RecordingMeter;
let client: UpstreamClient;

beforeEach(async () => {
  lab = await TestUpstream.start();
  lab.put('app', old, 'v1');
  lab.putBlob('app', large);
  clock = new TestClock();
  meter = new RecordingMeter();
  connections = connectionsOf(lab.url, { meter });
  client = createUpstreamClient({ url: lab.url, userAgent: 'tonnage/test', connections, clock, meter });
});

afterEach(async () => {
  await connections.destroy();
  await lab.stop();
});

/** Makes HEAD, or the given methods, fail: with a status, a broken connection or a redirect loop. */
function refuse(status: number | 'broken' | 'redirects', methods: readonly string[] = ['HEAD']): void {
  lab.behaviour.intercept = (request, response) => {
    if (!methods.includes(request.method ?? '')) return false;
    if (status === 'broken') request.socket.destroy();
    else if (status === 'redirects') response.writeHead(307, { location: request.url }).end();
    else response.writeHead(status).end();
    return true;
  };
}

const changed = (known: Content = old) => client.changedManifest('app', v1, known.digest, 5_000);
/** Methods of the requests for content, without those for the challenge at `/v2/`. */
const methods = (): readonly string[] =>
  lab.requests.flatMap(({ method, target }) => (target === '/v2/' ? [] : [method]));
const failureOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (thrown: unknown) => (thrown instanceof UpstreamError ? thrown.kind : String(thrown)),
  );

const refusals = [400, 401, 402, 403, 404, 405, 406, 500, 501, 204] as const;

describe('a failed HEAD of a manifest', () => {
  it.each(refusals)('with %s: GET decides, and only GET is used for a while', async (status) => {
    refuse(status);
    expect(await changed()).toBeNull();
    lab.put('app', moved, 'v1');
    expect((await changed())?.body).toEqual(moved.body);
    expect(methods()).toEqual(['HEAD', 'GET', 'GET']);
    clock.advance(limits.upstreamHeadRefusedMs);
    expect(await changed(moved)).toBeNull();
    expect(methods().slice(3)).toEqual(['HEAD', 'GET']);
  });

  it('by a broken connection: GET decides, and HEAD is used again next time', async () => {
    refuse('broken');
    expect(await changed()).toBeNull();
    lab.behaviour = {};
    expect(await changed()).toBeNull();
    expect(methods()).toEqual(['HEAD', 'HEAD', 'GET', 'HEAD']);
  });

  it('by a redirect loop: GET decides, and only GET is used for a while', async () => {
    refuse('redirects');
    expect(await changed()).toBeNull();
    expect(await changed()).toBeNull();
    expect(methods().filter((method) => method === 'GET')).toHaveLength(2);
    expect(methods().at(-2)).toBe('GET');
  });

  it.each([
    [404, 'missing'],
    [403, 'refused'],
    [500, 'failing'],
  ])('like GET, with %s: that is the result, and HEAD is used again next time', async (status, kind) => {
    refuse(status, ['HEAD', 'GET']);
    expect(await failureOf(changed())).toBe(kind);
    expect(await failureOf(changed())).toBe(kind);
    expect(methods()).toEqual(['HEAD', 'GET', 'HEAD', 'GET']);
  });

  it.each([
    [429, 'throttled'],
    [502, 'failing'],
    [503, 'failing'],
    [504, 'failing'],
  ])('because the upstream is overloaded (%s): there is no GET', async (status, kind) => {
    refuse(status);
    expect(await failureOf(changed())).toBe(kind);
    expect(methods()).toEqual(['HEAD']);
  });

  it('by silence: GET is used next time', async () => {
    lab.behaviour.intercept = (request) => request.method === 'HEAD';
    const impatient = (): Promise<unknown> => client.changedManifest('app', v1, old.digest, 200);
    expect(await failureOf(impatient())).toBe('unreachable');
    expect(await changed()).toBeNull();
    expect(await failureOf(impatient())).toBe('unreachable');
    expect(methods()).toEqual(['HEAD', 'GET', 'HEAD']);
  });

  it('does not affect HEAD of blobs', async () => {
    refuse(405);
    await changed();
    lab.behaviour = {};
    expect(await client.headBlob('app', large.digest)).toBe(large.body.byteLength);
    expect(methods()).toEqual(['HEAD', 'GET', 'HEAD']);
  });
});

describe('a HEAD of a manifest with another digest', () => {
  const many = index([[old, 'amd64']]);

  /** Answers HEAD of the tag with this manifest's digest. */
  function claim(of: Content): void {
    lab.behaviour.intercept = (request, response) => {
      if (request.method !== 'HEAD') return false;
      response.writeHead(200, { 'content-type': of.mediaType, 'docker-content-digest': of.digest.text }).end();
      return true;
    };
  }

  it('changes nothing if GET returns the known digest, and only GET is used for a while', async () => {
    lab.put('app', many, 'v1');
    claim(old);
    for (let round = 0; round < 2; round++) expect(await changed(many)).toBeNull();
    expect(methods()).toEqual(['HEAD', 'GET', 'GET']);
    lab.put('app', old, 'v1');
    expect((await changed(many))?.body).toEqual(old.body);
    lab.put('app', many, 'v1');
    expect((await changed(old))?.body).toEqual(many.body);
    clock.advance(limits.upstreamHeadRefusedMs);
    expect(await changed(many)).toBeNull();
    expect(methods().slice(-2)).toEqual(['HEAD', 'GET']);
  });

  it('like GET keeps HEAD in use', async () => {
    lab.put('app', moved, 'v1');
    expect((await changed())?.body).toEqual(moved.body);
    expect(await changed(moved)).toBeNull();
    expect(methods()).toEqual(['HEAD', 'GET', 'HEAD']);
  });

  it('changes the tag to the result of GET, whatever HEAD states', async () => {
    lab.put('app', moved, 'v1');
    claim(many);
    expect((await changed())?.body).toEqual(moved.body);
  });
});

describe('a failed HEAD of a blob', () => {
  it.each(refusals)('with %s: GET states the size and is aborted, and only GET is used for a while', async (status) => {
    refuse(status);
    expect(await client.headBlob('app', large.digest)).toBe(large.body.byteLength);
    expect(await client.headBlob('app', old.blobs[0]?.digest ?? old.digest)).toBe(old.blobs[0]?.body.byteLength);
    expect(methods()).toEqual(['HEAD', 'GET', 'GET']);
    expect(meter.bytes).toBeLessThan(large.body.byteLength / 2);
  });

  it.each([
    ['no length', {}],
    ['a length of 0', { 'content-length': 0 }],
  ])('by a response with %s: GET states the size', async (_what, headers) => {
    lab.behaviour.intercept = (request, response) => {
      if (request.method !== 'HEAD') return false;
      response.writeHead(200, headers).end();
      return true;
    };
    expect(await client.headBlob('app', large.digest)).toBe(large.body.byteLength);
    expect(methods()).toEqual(['HEAD', 'GET']);
    const empty = content('', Buffer.alloc(0));
    lab.putBlob('app', empty);
    expect(await client.headBlob('app', empty.digest)).toBe(0);
    expect(await failureOf(client.headBlob('other', large.digest))).toBe('missing');
  });

  it('like GET: the blob does not exist', async () => {
    refuse(404, ['HEAD', 'GET']);
    expect(await failureOf(client.headBlob('app', large.digest))).toBe('missing');
  });
});
