import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { TestGateway } from './testing/gateway.ts';
import { bytesOf, content, image, index } from './testing/images.ts';
import { TestUpstream } from './testing/upstream.ts';
import { patiently, until } from './testing/until.ts';

const large = bytesOf(24 * 1024 * 1024, 1);
const manifest = image({ layers: [bytesOf(1_000, 2), bytesOf(300_000, 3), large] });
const multi = index([[manifest, 'amd64']]);
const [, small = manifest, middle = manifest, big = manifest] = manifest.blobs;
const uncached = Array.from({ length: 8 }, (_, seed) => content('layer', bytesOf(400_000, 10 + seed)));

const blobPath = (of: { readonly digest: { readonly text: string } }): string => `/v2/app/blobs/${of.digest.text}`;

let lab: TestUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  lab = await TestUpstream.start();
  lab.put('app', manifest, 'v1');
  lab.put('app', multi, 'multi');
  for (const blob of uncached) lab.putBlob('app', blob);
  gateway = await TestGateway.start({ lab });
  for (const blob of [small, middle, big]) await gateway.get(blobPath(blob));
  await gateway.get('/v2/app/manifests/v1');
  await gateway.close();
});

beforeEach(() => gateway.reset());

afterEach(() => lab.reset());

afterAll(async () => {
  await gateway.remove();
  await lab.stop();
});

const counted = (): number => gateway.egress.reduce((sum, { bytes }) => sum + bytes, 0);

/** The sums after the gateway was stopped. */
async function settled(): Promise<number> {
  await gateway.close();
  return counted();
}

/** The sums that the gateway passed on by itself. */
async function handedOn(): Promise<number> {
  await until('something is counted', () => gateway.egress.length > 0);
  return counted();
}

describe('a complete response counts the bytes of its body', () => {
  it.each([
    ['a manifest by tag', '/v2/app/manifests/v1', {}, manifest.body.byteLength],
    ['a manifest by digest', `/v2/app/manifests/${manifest.digest.text}`, {}, manifest.body.byteLength],
    ['an index', '/v2/app/manifests/multi', {}, multi.body.byteLength],
    ['a blob in memory', blobPath(small), {}, 1_000],
    ['a range of a blob in memory', blobPath(small), { range: 'bytes=100-199' }, 100],
    ['a blob on disk', blobPath(middle), {}, 300_000],
    ['a range of a blob on disk', blobPath(middle), { range: 'bytes=-131073' }, 131_073],
    ['a large blob', blobPath(big), {}, large.byteLength],
  ])('%s', async (_, path, headers, bytes) => {
    const { body } = await gateway.get(path, headers);
    expect(body.byteLength).toBe(bytes);
    expect(await settled()).toBe(bytes);
  });

  it('a blob of unknown length, in chunks', async () => {
    const blob = content('layer', bytesOf(500_000, 30));
    lab.putBlob('app', blob);
    lab.behaviour = { hideLength: true };
    const { body, headers } = await gateway.get(blobPath(blob));
    expect(headers['transfer-encoding']).toBe('chunked');
    expect(await settled()).toBe(body.byteLength);
  });

  it('a range far ahead of a download, directly from the upstream', async () => {
    const blob = content('layer', bytesOf(10 * 1024 * 1024, 31));
    lab.putBlob('app', blob);
    expect((await gateway.get(blobPath(blob), { range: 'bytes=9000000-9999999' })).body.byteLength).toBe(1_000_000);
    expect(await settled()).toBe(1_000_000);
  });

  it('a stale tag', async () => {
    gateway.clock.advance(61_000);
    lab.behaviour = { intercept: (_, response) => response.writeHead(503).end() !== undefined };
    const { headers, body } = await gateway.get('/v2/app/manifests/v1');
    expect(headers.warning).toContain('Stale');
    expect(await settled()).toBe(body.byteLength);
  });

  it('to a slow client', async () => {
    const socket = await ask(blobPath(big));
    let received = 0;
    let hurries = false;
    socket.on('data', (piece: Buffer) => {
      received += piece.byteLength;
      if (hurries) return;
      socket.pause();
      if (received <= 1_000_000) setTimeout(() => socket.resume(), 20);
    });
    await until('the first pieces are received', () => received > 1_000_000);
    expect(counted()).toBe(0);
    hurries = true;
    socket.resume();
    await until('everything is received', () => received > large.byteLength);
    expect(await handedOn()).toBe(large.byteLength);
    expect(await settled()).toBe(large.byteLength);
    socket.destroy();
  });

  it('with concurrent requests over reused connections', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const paths = ['/v2/app/manifests/v1', ...[small, middle, big, ...uncached].map(blobPath)];
    const got = await Promise.all(Array.from({ length: 60 }, (_, at) => length(agent, paths[at % paths.length] ?? '')));
    agent.destroy();
    expect(await settled()).toBe(got.reduce((sum, bytes) => sum + bytes, 0));
  });

  it('with pipelined requests', async () => {
    const socket = connect(gateway.port, '127.0.0.1');
    const paths = [blobPath(middle), '/v2/app/manifests/v1', blobPath(big), blobPath(small)];
    socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    socket.resume();
    const bytes = 300_000 + manifest.body.byteLength + large.byteLength + 1_000;
    await vi.waitFor(() => expect(counted()).toBe(bytes), patiently);
    expect(await settled()).toBe(bytes);
    socket.destroy();
  });
});

describe('nothing is counted for', () => {
  it.each([
    ['HEAD of a manifest', 'HEAD', '/v2/app/manifests/v1', {}, 200],
    ['HEAD of a blob', 'HEAD', blobPath(big), {}, 200],
    ['a manifest that has not changed', 'GET', '/v2/app/manifests/v1', { 'if-none-match': '*' }, 304],
    ['a blob that has not changed', 'GET', blobPath(big), { 'if-none-match': '*' }, 304],
    ['an unsatisfiable range', 'GET', blobPath(middle), { range: 'bytes=300000-' }, 416],
    ['an error', 'GET', '/v2/app/manifests/none', {}, 404],
    ['a list of tags', 'GET', '/v2/app/tags/list', {}, 200],
    ['the version check', 'GET', '/v2/', {}, 200],
  ])('%s', async (_, method, path, headers, status) => {
    expect((await gateway.ask(method, path, headers)).status).toBe(status);
    expect(await settled()).toBe(0);
  });
});

describe('an aborted response counts the bytes that the kernel had accepted:', () => {
  /** Upper bound of the kernel's buffers on both sides of a connection, a few MiB each. */
  const heldBySystem = 12 * 1024 * 1024;

  it.each(['reset', 'closed'])('a client that stops reading and is %s', async (how) => {
    const socket = await ask(blobPath(big));
    const received = await readSome(socket);
    // Long enough to fill the buffers on both sides.
    await sleep(200);
    if (how === 'reset') socket.resetAndDestroy();
    else socket.destroy();
    const bytes = await handedOn();
    expect(bytes).toBeGreaterThanOrEqual(received);
    expect(bytes).toBeLessThan(received + heldBySystem);
    expect(bytes).toBeLessThan(large.byteLength);
    expect(gateway.egress).toHaveLength(1);
  });

  it('aborted by the gateway, because the blob has a wrong digest', async () => {
    const blob = content('layer', bytesOf(600_000, 32));
    lab.putBlob('app', blob);
    lab.behaviour = { corrupt: true };
    const { complete, body } = await gateway.get(blobPath(blob));
    expect(complete).toBe(false);
    const bytes = await settled();
    expect(bytes).toBeGreaterThanOrEqual(body.byteLength);
    expect(bytes).toBeLessThan(blob.body.byteLength);
  });

  it('a pipelined request behind it counts nothing', async () => {
    const socket = await ask(blobPath(big));
    socket.write(
      `GET /v2/app/manifests/v1 HTTP/1.1\r\nHost: a\r\n\r\nGET ${blobPath(small)} HTTP/1.1\r\nHost: a\r\n\r\n`,
    );
    await readSome(socket);
    await sleep(200);
    socket.resetAndDestroy();
    await handedOn();
    await settled();
    expect(gateway.egress.map(({ tag }) => tag)).toEqual([undefined]);
    expect(gateway.egress[0]?.bytes).toBeLessThan(large.byteLength);
  });

  it.each([
    ['of known length', {}],
    ['in chunks', { hideLength: true }],
  ])('aborted by a stop of the gateway in the middle of a blob %s, exact to the byte', async (_, behaviour) => {
    const blob = content('layer', bytesOf(large.byteLength, 'hideLength' in behaviour ? 33 : 34));
    lab.putBlob('app', blob);
    lab.behaviour = behaviour;
    const socket = await ask(blobPath(blob));
    const pieces: Buffer[] = [];
    socket.on('data', (piece: Buffer) => pieces.push(piece));
    await until('the answer has begun', () => pieces.length > 0);
    socket.pause();
    await sleep(300);
    const bytes = await settled();
    expect(bytes).toBeLessThan(large.byteLength);
    // The kernel still delivers what it had accepted, and nothing else.
    socket.resume();
    await once(socket, 'close');
    expect(bodyBytes(Buffer.concat(pieces))).toBe(bytes);
  });
});

it('responses are summed by principal, repository and tag', async () => {
  const rights = new Set(['pull'] as const);
  const principal = (subject: string) => ({ subject, org: `${subject}.example`, rights });
  await gateway.reopen({
    admit: ({ authorization }) =>
      authorization === undefined ? { kind: 'anonymous' } : { kind: 'principal', principal: principal(authorization) },
  });
  for (const authorization of ['ann', 'bob', 'ann']) await gateway.get(blobPath(small), { authorization });
  await gateway.get('/v2/app/manifests/v1');
  await settled();
  const common = { upstream: 'lab', repository: 'app', client: '127.0.0.1' };
  expect(gateway.egress).toEqual([
    { ...common, principal: principal('ann'), bytes: 2_000 },
    { ...common, principal: principal('bob'), bytes: 1_000 },
    { ...common, principal: null, tag: 'v1', bytes: manifest.body.byteLength },
  ]);
});

it('an error of the ledger is logged, and clients are served', async () => {
  await gateway.reopen({
    recordEgress: () => {
      throw new Error('no ledger');
    },
  });
  expect((await gateway.get(blobPath(small))).status).toBe(200);
  await settled();
  expect(gateway.logs).toMatchObject([{ level: 'error', fields: { error: 'no ledger' } }]);
});

/** Sends a request and does not read the response yet. */
async function ask(path: string): Promise<Socket> {
  const socket = connect(gateway.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  return socket;
}

/** Reads the start of a body and then stops. Returns a lower bound of the bytes read. */
async function readSome(socket: Socket): Promise<number> {
  let received = 0;
  while (received < 500_000) {
    const [piece] = await once(socket, 'data');
    received += Buffer.byteLength(piece);
  }
  socket.pause();
  return received - 1_000;
}

/** The length of the body in a raw, possibly aborted response, without the framing of chunks. */
function bodyBytes(answer: Buffer): number {
  const start = answer.indexOf('\r\n\r\n') + 4;
  if (!answer.subarray(0, start).includes('chunked')) return answer.byteLength - start;
  let bytes = 0;
  for (let at = start; at < answer.byteLength;) {
    const line = answer.indexOf('\r\n', at);
    if (line === -1) break;
    const size = Number.parseInt(answer.toString('latin1', at, line), 16);
    bytes += Math.min(size, answer.byteLength - line - 2);
    at = line + 2 + size + 2;
  }
  return bytes;
}

/** Requests a path over a connection of the agent. Returns the length of the body. */
function length(agent: Agent, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ agent, host: '127.0.0.1', port: gateway.port, path }, (response) => {
      let received = 0;
      response.on('data', (piece: Buffer) => (received += piece.byteLength));
      response.on('end', () => resolve(received));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}
