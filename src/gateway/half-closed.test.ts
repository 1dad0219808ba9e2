import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';

import { TestGateway } from './testing/gateway.ts';
import { content, image, type TestImage } from './testing/images.ts';
import { TestUpstream } from './testing/upstream.ts';
import { patiently, until } from './testing/until.ts';

let lab: TestUpstream;
let gateway: TestGateway;
let count = 0;
let app: string;
let pulled: TestImage;

beforeAll(async () => {
  lab = await TestUpstream.start();
  gateway = await TestGateway.start({ lab });
});

beforeEach(async () => {
  app = `app-${++count}`;
  lab.reset();
  gateway.allowHalfOpen = true;
  // A new listener, because the option applies when it is created.
  await gateway.reopen({});
  await gateway.reset();
  pulled = image({ name: app });
  lab.put(app, pulled, 'v1');
});

afterAll(async () => {
  await gateway.remove();
  await lab.stop();
});

/** A connection with a sent request. */
async function send(path: string, { andCloseOwnSide }: { andCloseOwnSide: boolean }): Promise<Socket> {
  const socket = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  const request = `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
  if (andCloseOwnSide) socket.end(request);
  else socket.write(request);
  return socket;
}

/** Status and body for a client that half-closes its connection with its request. */
async function askHalfClosed(path: string): Promise<{ status: string; body: Buffer }> {
  const socket = await send(path, { andCloseOwnSide: true });
  const chunks: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  const all = Buffer.concat(chunks);
  const end = all.indexOf('\r\n\r\n');
  return { status: all.toString('latin1', 9, 12), body: all.subarray(end + 4) };
}

describe('a client that half-closes its connection with its request', () => {
  it('gets its manifest, uncached, cached and by digest, and each pull counts once', async () => {
    for (const [at, reference] of ['v1', 'v1', pulled.digest.text].entries()) {
      expect(await askHalfClosed(`/v2/${app}/manifests/${reference}`)).toEqual({ status: '200', body: pulled.body });
      expect(gateway.pulls).toHaveLength(at + 1);
    }
    expect(gateway.sample('manifest_pulls', { upstream: 'lab' })).toBe(3);
    expect(gateway.counted('counted_aborted', 'lab')).toBe(0);
  });

  it('gets its manifest after the record is committed', async () => {
    await gateway.reopen({ record: (pull) => Promise.resolve().then(() => void gateway.pulls.push(pull)) });
    expect(await askHalfClosed(`/v2/${app}/manifests/v1`)).toEqual({ status: '200', body: pulled.body });
    expect(gateway.pulls).toHaveLength(1);
  });

  it('gets blobs, from a download in progress and from the cache', async () => {
    const layer = content('layer', Buffer.alloc(3_000_000, 7));
    lab.putBlob(app, layer);
    for (let round = 0; round < 2; round++) {
      const { status, body } = await askHalfClosed(`/v2/${app}/blobs/${layer.digest.text}`);
      expect(status).toBe('200');
      expect(body.subarray(body.indexOf(7)).byteLength).toBeGreaterThanOrEqual(layer.body.byteLength);
    }
  });

  it('gets errors and lists', async () => {
    expect(await askHalfClosed(`/v2/${app}/manifests/none`)).toMatchObject({ status: '404' });
    expect(await askHalfClosed(`/v2/${app}/tags/list`)).toMatchObject({ status: '200' });
  });
});

describe('a client that has disconnected', () => {
  it('during the fetch of its manifest is not counted', async () => {
    let answer = (): void => {};
    const opened = new Promise<void>((resolve) => (answer = resolve));
    lab.behaviour.gate = { at: 1, opened };
    const socket = await send(`/v2/${app}/manifests/v1`, { andCloseOwnSide: false });
    await until('the upstream is asked', () => lab.requestsTo('/manifests/').length > 0);
    socket.destroy();
    await once(socket, 'close');
    answer();
    await until('the gateway sees that it has left', () => gateway.answering === 0);
    expect(gateway.pulls).toEqual([]);
    expect(gateway.sample('manifest_pulls', { upstream: 'lab' })).toBe(0);
  });

  it('during the commit of its pull is counted as aborted', async () => {
    let recorded = (): void => {};
    let called = (): void => {};
    const wasCalled = new Promise<void>((resolve) => (called = resolve));
    await gateway.reopen({
      record: () => {
        called();
        return new Promise<void>((resolve) => (recorded = resolve));
      },
    });
    const socket = await send(`/v2/${app}/manifests/v1`, { andCloseOwnSide: false });
    await wasCalled;
    socket.destroy();
    await once(socket, 'close');
    await new Promise((resolve) => setTimeout(resolve, 100));
    recorded();
    await expect.poll(() => gateway.counted('counted_aborted', 'lab'), patiently).toBe(1);
  });
});

test('a client that disconnects in the middle of a blob is noticed by the next write', async () => {
  const layer = content('layer', Buffer.alloc(64_000_000, 7));
  lab.putBlob(app, layer);
  const socket = await send(`/v2/${app}/blobs/${layer.digest.text}`, { andCloseOwnSide: true });
  await once(socket, 'data');
  socket.destroy();
  await until('the gateway sees that it has left', () => gateway.answering === 0);
  expect(gateway.counted('blob_rejected', 'lab')).toBe(0);
});
