import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { limits } from '../../base/index.ts';
import { connectionsOf } from '../testing/connections.ts';
import { TestClock } from '../testing/gateway.ts';
import { content, image } from '../testing/images.ts';
import { RecordingMeter } from '../testing/meter.ts';
import { createUpstreamClient, type UpstreamClient } from './client.ts';
import type { Connections } from './connection.ts';
import { readBody } from './send.ts';

const manifest = image({});
const blob = content('', Buffer.from('HTTP/1.1 100 Continue\r\n\r\nis what this blob begins with'));
const hundred = 'HTTP/1.1 100 Continue\r\n\r\n';
const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n';

let server: Server;
let upstream: Connections;
let url: string;
let client: UpstreamClient;
let connections = 0;
/** Sent before each response. */
let before: string;
let pieceBytes: number;

/** Answers the requests of a connection one after the other. */
async function serve(socket: Socket): Promise<void> {
  connections++;
  let waiting = '';
  for await (const chunk of socket.setNoDelay().setEncoding('latin1') as AsyncIterable<string>) {
    waiting += chunk;
    if (!waiting.endsWith('\r\n\r\n')) continue;
    const isHead = waiting.startsWith('HEAD');
    const { body, digest, mediaType } = waiting.includes('/blobs/') ? blob : manifest;
    waiting = '';
    const head = `Content-Type: ${mediaType}\r\nDocker-Content-Digest: ${digest.text}\r\nContent-Length: ${body.byteLength}`;
    const answer = `${before}HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n${head}\r\n\r\n${isHead ? '' : body.toString('latin1')}`;
    for (let offset = 0; offset < answer.length; offset += pieceBytes) {
      socket.write(answer.slice(offset, offset + pieceBytes), 'latin1');
      if (pieceBytes < answer.length) await sleep(1);
    }
  }
}

beforeEach(async () => {
  connections = 0;
  before = '';
  pieceBytes = Number.POSITIVE_INFINITY;
  server = createServer((socket) => void serve(socket).catch(() => {}));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  url = `http://127.0.0.1:${port}`;
  upstream = connectionsOf(url);
  const meter = new RecordingMeter();
  client = createUpstreamClient({ url, userAgent: 'x', connections: upstream, clock: new TestClock(), meter });
});

afterEach(async () => {
  await upstream.destroy();
  server.close();
});

async function askAll(by = client): Promise<void> {
  const answer = await by.getBlob('app', blob.digest);
  expect(await readBody({ ...answer, headers: {}, origin: '' }, 10_000)).toEqual(blob.body);
  const v1 = { kind: 'tag', tag: 'v1' } as const;
  expect(await by.changedManifest('app', v1, manifest.digest, 30_000)).toBeNull();
  expect((await by.getManifest('app', v1)).body).toEqual(manifest.body);
}

describe('before a response', () => {
  it.each([
    ['nothing', ''],
    ['100 Continue', hundred],
    ['100 Continue with headers', 'HTTP/1.1 100 Continue\r\nServer: x\r\nDate: today\r\n\r\n'],
    ['100 without a reason', 'HTTP/1.1 100\r\n\r\n'],
    ['100 in HTTP/1.0', 'HTTP/1.0 100 Continue\r\n\r\n'],
    ['100 Continue twice', hundred + hundred],
    ['103 Early Hints, then 100 Continue', hints + hundred],
    ['100 Continue, then 103 Early Hints', hundred + hints],
    ['102 Processing often', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(50)],
  ])('%s is skipped, and the connection is reused', async (_name, interim) => {
    before = interim;
    for (let round = 0; round < 3; round++) await askAll();
    expect(connections).toBeLessThan(4);
  });

  it.each([1, 7, 26])('an interim response in pieces of %s bytes is skipped', async (bytes) => {
    before = hints + hundred;
    pieceBytes = bytes;
    await askAll();
  });

  it('an interim response of an egress proxy is skipped', async () => {
    before = hundred;
    const proxied = connectionsOf('http://registry.example', { proxyOf: () => new URL(url) });
    const meter = new RecordingMeter();
    const shared = { userAgent: 'x', clock: new TestClock(), meter };
    const through = createUpstreamClient({ url: 'http://registry.example', connections: proxied, ...shared });
    for (let round = 0; round < 3; round++) await askAll(through);
    expect(connections).toBeLessThan(4);
    await proxied.destroy();
    await proxied.proxies.destroy();
  });

  it.each([
    ['that never ends', `HTTP/1.1 100 Continue\r\nX: ${'x'.repeat(limits.upstreamInterimBytesMax)}`],
    ['that asks for another protocol', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'],
    ['that is not HTTP', 'HTTP/1.1 1xx What\r\n\r\n'],
  ])('an interim response %s fails the request', async (_name, interim) => {
    before = interim;
    await expect(client.getBlob('app', blob.digest)).rejects.toThrow('could not be reached');
  });
});
