import type { IncomingMessage, ServerResponse } from 'node:http';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';

import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';

import { limits } from '../../base/index.ts';
import type { Reference } from '../../oci/index.ts';
import { connectionsOf } from '../testing/connections.ts';
import { TestClock } from '../testing/gateway.ts';
import { bytesOf, content, image } from '../testing/images.ts';
import { RecordingMeter } from '../testing/meter.ts';
import { TestUpstream } from '../testing/upstream.ts';
import { createUpstreamClient, type BlobAnswer, type UpstreamClient } from './client.ts';
import type { Connections } from './connection.ts';
import { UpstreamError } from './failure.ts';
import { readBody } from './send.ts';

const manifest = image({});
const blob = content('', Buffer.concat([bytesOf(300_000, 1), Buffer.alloc(300_000)]));
const v1: Reference = { kind: 'tag', tag: 'v1' };

const encoders: readonly (readonly [string, (plain: Buffer) => Buffer])[] = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['GZIP', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
  ['identity, gzip', gzipSync],
  ['gzip, br', (plain) => brotliCompressSync(gzipSync(plain))],
];

let lab: TestUpstream;
let connections: Connections;
let client: UpstreamClient;

beforeEach(async () => {
  lab = await TestUpstream.start();
  lab.put('app', manifest, 'v1');
  lab.putBlob('app', blob);
  connections = connectionsOf(lab.url);
  const meter = new RecordingMeter();
  client = createUpstreamClient({ url: lab.url, userAgent: 'x', connections, clock: new TestClock(), meter });
});

afterEach(async () => {
  await connections.destroy();
  await lab.stop();
});

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

function answerWith(handle: Handler): void {
  lab.behaviour.intercept = (request, response) => {
    handle(request, response);
    return true;
  };
}

/** Sends these bytes for every GET, and only their length for HEAD. */
function send(bytes: Buffer, headers: Readonly<Record<string, string>>): void {
  answerWith((request, response) => {
    response.writeHead(200, { 'content-length': bytes.byteLength, ...headers });
    response.end(request.method === 'HEAD' ? undefined : bytes);
  });
}

const bytesIn = (answer: BlobAnswer, bytesMax = 10_000_000): Promise<Buffer | null> =>
  readBody({ ...answer, headers: {}, origin: '' }, bytesMax);
const messageOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (thrown: unknown) => (thrown instanceof UpstreamError ? `${thrown.kind}: ${thrown.message}` : String(thrown)),
  );

test('every request asks for unencoded content, also at token endpoints and after redirects', async () => {
  lab.behaviour.bearer = {};
  lab.behaviour.redirectBlobsTo = lab.url;
  await client.getManifest('app', v1);
  await client.changedManifest('app', v1, manifest.digest, 5_000);
  await messageOf(client.getBlob('app', blob.digest));
  expect(new Set(lab.requests.map(({ headers }) => headers['accept-encoding']))).toEqual(new Set(['identity']));
  expect(lab.requestsTo('/token')).toHaveLength(1);
});

describe.each(encoders)('a response encoded as %s', (coding, encode) => {
  it('yields the decoded manifest', async () => {
    send(encode(manifest.body), { 'content-encoding': coding, 'content-type': manifest.mediaType });
    expect((await client.getManifest('app', v1)).digest).toEqual(manifest.digest);
  });

  it('yields the decoded blob of unknown length', async () => {
    send(encode(blob.body), { 'content-encoding': coding });
    const answer = await client.getBlob('app', blob.digest, { size: blob.body.byteLength });
    expect(answer.length).toBeNull();
    expect((await bytesIn(answer))?.equals(blob.body)).toBe(true);
  });

  it('has a length that is not taken for the size of the blob', async () => {
    send(encode(blob.body), { 'content-encoding': coding });
    expect(await client.headBlob('app', blob.digest)).toBeNull();
  });

  it('yields the decoded tag list', async () => {
    send(encode(Buffer.from('{"tags":["v1"]}')), { 'content-encoding': coding });
    expect((await client.listTags('app', '')).body.toString()).toBe('{"tags":["v1"]}');
  });

  it('yields the decoded error', async () => {
    const body = encode(Buffer.from('{"errors":[{"code":"NAME_UNKNOWN"}]}'));
    answerWith((_request, response) => response.writeHead(401, { 'content-encoding': coding }).end(body));
    expect(await messageOf(client.getManifest('app', v1))).toBe('missing: answered 401');
  });

  it('has no ranges: the whole is requested', async () => {
    const body = encode(blob.body);
    answerWith((request, response) => {
      const ranged = request.headers.range !== undefined;
      response.writeHead(ranged ? 206 : 200, {
        'content-encoding': coding,
        ...(ranged ? { 'content-range': `bytes 0-9/${body.byteLength}` } : {}),
      });
      response.end(ranged ? body.subarray(0, 10) : body);
    });
    const answer = await client.getBlob('app', blob.digest, { range: 'bytes=0-9', size: blob.body.byteLength });
    expect([answer.status, answer.length]).toEqual([200, null]);
    expect((await bytesIn(answer))?.equals(blob.body)).toBe(true);
  });
});

describe('a response that only claims to be encoded', () => {
  const compressed = content('', gzipSync(blob.body));
  const { byteLength: size } = compressed.body;

  it('is not decoded if it has the size in the manifest', async () => {
    send(compressed.body, { 'content-encoding': 'gzip' });
    const answer = await client.getBlob('app', compressed.digest, { size });
    expect(answer.length).toBe(size);
    expect((await bytesIn(answer))?.equals(compressed.body)).toBe(true);
  });

  it('has ranges if it has that size', async () => {
    answerWith((_request, response) => {
      const headers = { 'content-encoding': 'gzip', 'content-range': `bytes 0-9/${size}` };
      response.writeHead(206, headers).end(compressed.body.subarray(0, 10));
    });
    const answer = await client.getBlob('app', compressed.digest, { range: 'bytes=0-9', size });
    expect(answer.status).toBe(206);
    expect(await bytesIn(answer)).toEqual(compressed.body.subarray(0, 10));
  });

  it.each(['aws-chunked', 'utf-8', 'none', 'identity', 'gzip, utf-8'])('as %s is not decoded', async (coding) => {
    send(blob.body, { 'content-encoding': coding });
    const answer = await client.getBlob('app', blob.digest);
    expect(answer.length).toBe(blob.body.byteLength);
    expect((await bytesIn(answer))?.equals(blob.body)).toBe(true);
  });

  it('stays empty if it is empty', async () => {
    send(Buffer.alloc(0), { 'content-encoding': 'gzip' });
    expect(await bytesIn(await client.getBlob('app', blob.digest))).toHaveLength(0);
  });
});

describe('a response that cannot be decoded', () => {
  it.each(['gzip', 'deflate', 'br', 'zstd'])('because it is not %s is invalid', async (coding) => {
    send(Buffer.from('{"config":{},"layers":[]}'), { 'content-encoding': coding });
    expect(await messageOf(client.getManifest('app', v1))).toBe(`invalid: sent a body that is not ${coding} as stated`);
  });

  it('because it ends too early is invalid', async () => {
    send(gzipSync(manifest.body).subarray(0, -10), { 'content-encoding': 'gzip' });
    expect(await messageOf(client.getManifest('app', v1))).toContain('invalid: sent a body that is not gzip');
  });

  it('because its connection breaks is a connection error', async () => {
    const body = gzipSync(bytesOf(300_000, 2));
    answerWith((request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': body.byteLength });
      response.write(body.subarray(0, 100_000), () => request.socket.destroy());
    });
    expect(await messageOf(client.listTags('app', ''))).toContain('unreachable');
  });

  it('because it has too many codings is invalid', async () => {
    const coding = Array.from({ length: limits.upstreamCodingsMax + 1 }, () => 'gzip').join(', ');
    send(manifest.body, { 'content-encoding': coding });
    expect(await messageOf(client.getManifest('app', v1))).toContain('at most 3 content codings, got 4');
  });
});

describe('a response that grows when it is decoded', () => {
  it.each(['gzip', 'gzip, gzip'])('(%s) is aborted at the limit of its kind', async (coding) => {
    const once = gzipSync(Buffer.alloc(256 * 1024 * 1024));
    send(coding === 'gzip' ? once : gzipSync(once), { 'content-encoding': coding });
    const before = process.memoryUsage().rss;
    expect(await messageOf(client.getManifest('app', v1))).toBe('invalid: sent a manifest of more than 4194304 bytes');
    expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1024 * 1024);
  });
});
