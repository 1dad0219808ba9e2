import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

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
const tag = (text: string): Reference => parseReference(text) ?? { kind: 'tag', tag: text };

let lab: TestUpstream;
let connections: Connections;
let clock: TestClock;
let meter: RecordingMeter;
let anonymous: UpstreamClient;

beforeEach(async () => {
  lab = await TestUpstream.start();
  lab.put('app', manifest, 'v1');
  clock = new TestClock();
  meter = new RecordingMeter();
  connections = connectionsOf(lab.url, { meter });
  anonymous = createUpstreamClient({ url: lab.url, userAgent: 'tonnage/test', connections, clock, meter });
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

describe('a connection', () => {
  it('that breaks before a response is retried once', async () => {
    let breaks = 1;
    lab.behaviour.intercept = (request) => {
      if (breaks-- <= 0) return false;
      request.socket.destroy();
      return true;
    };
    expect((await anonymous.getManifest('app', tag('v1'))).body).toEqual(manifest.body);
    expect(lab.requests).toHaveLength(2);
  });

  it('that always breaks fails after one retry', async () => {
    lab.behaviour.intercept = (request) => {
      request.socket.destroy();
      return true;
    };
    expect(await failureKind(anonymous.getManifest('app', tag('v1')))).toBe('unreachable');
    expect(lab.requests).toHaveLength(2);
  });

  it('is reused for many requests', async () => {
    const ports = new Set<number | undefined>();
    lab.behaviour.intercept = (request) => {
      ports.add(request.socket.remotePort);
      return false;
    };
    for (let round = 0; round < 5; round++) {
      await anonymous.getManifest('app', tag('v1'));
      await anonymous.headBlob('app', blob.digest);
      await failureKind(anonymous.changedManifest('app', tag('absent'), manifest.digest, 5_000));
    }
    // A request may start before the previous connection is known to be free, and idle connections are closed.
    expect(ports.size).toBeLessThan(8);
  });

  it.each([
    ['a line that is not HTTP', '220 not a web server\r\n'],
    ['an invalid header', 'HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n'],
  ])('that receives %s is retried once', async (_what, bytes) => {
    let breaks = 1;
    lab.behaviour.intercept = (request) => {
      if (breaks-- <= 0) return false;
      request.socket.end(bytes);
      return true;
    };
    expect((await anonymous.getManifest('app', tag('v1'))).body).toEqual(manifest.body);
    expect(lab.requests).toHaveLength(2);
  });

  it('to a server that does not speak HTTP fails', async () => {
    const server: Server = createServer((socket) => socket.end('220 not a web server\r\n'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const client = createUpstreamClient({ url: `http://127.0.0.1:${port}`, userAgent: 'x', connections, clock, meter });
    await expect(client.headBlob('app', blob.digest)).rejects.toThrow('could not be reached (it does not speak HTTP)');
    // With https, the handshake fails.
    const secure = createUpstreamClient({
      url: `https://127.0.0.1:${port}`,
      userAgent: 'x',
      connections,
      clock,
      meter,
    });
    expect(await failureKind(secure.headBlob('app', blob.digest))).toBe('unreachable');
    server.close();
  });

  it('to an unknown name fails, without details in the message', async () => {
    const client = createUpstreamClient({
      url: 'http://no-such-host.invalid',
      userAgent: 'x',
      connections,
      clock,
      meter,
    });
    await expect(client.headBlob('app', blob.digest)).rejects.toThrow(/^could not be reached \(E[A-Z_]+\)$/);
  });
});
