import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';
import { createListener, listen, type Handler, type Listener } from './listener.ts';

let listener: Listener | undefined;
afterEach(async () => {
  await listener?.close(0);
  listener = undefined;
});

async function start(handler: Handler = (_request, response) => void response.end('ok')): Promise<number> {
  listener = await listen(createListener(handler), { host: '127.0.0.1', port: 0 });
  return Number(new URL(listener.url).port);
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Sends raw bytes and returns the response until the server closes the connection. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = await open(port);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  socket.write(bytes);
  await once(socket, 'close');
  return answer;
}

const host = 'Host: localhost\r\n';
const bodies = {
  oci: { errors: [{ code: 'UNSUPPORTED', message: expect.any(String) }] },
  problem: { type: 'about:blank', code: expect.any(String), detail: expect.any(String) },
};

describe('malformed requests', () => {
  test.each([
    ['something other than HTTP', 'hello\r\n\r\n', 400, 'oci'],
    ['an unknown method', `BREW /v2/ HTTP/1.1\r\n${host}\r\n`, 405, 'oci'],
    ['an unknown method elsewhere', `BREW /api HTTP/1.1\r\n${host}\r\n`, 405, 'problem'],
    ['headers beyond the limit', `GET /v2/ HTTP/1.1\r\n${host}X: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'oci'],
    [
      'a length and chunks at once',
      `GET /v2/ HTTP/1.1\r\n${host}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
      'oci',
    ],
    ['two lengths', `POST /v2/ HTTP/1.1\r\n${host}Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`, 400, 'oci'],
    ['a header without a name', `GET /v2/ HTTP/1.1\r\n${host}: x\r\n\r\n`, 400, 'oci'],
    ['a space before the colon', `GET /v2/ HTTP/1.1\r\n${host}Transfer-Encoding : chunked\r\n\r\n`, 400, 'oci'],
    ['a control character in a value', `GET /api HTTP/1.1\r\n${host}X: a\u0001b\r\n\r\n`, 400, 'problem'],
    ['CONNECT', `CONNECT example.org:443 HTTP/1.1\r\n${host}\r\n`, 405, 'oci'],
  ] as const)('%s: the response has a body, and the connection is closed', async (_, bytes, status, kind) => {
    const answer = await raw(await start(), bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const body: unknown = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
    expect(body).toMatchObject(bodies[kind]);
    expect(answer).toContain('connection: close');
    expect(answer.includes("\r\nContent-Security-Policy: default-src 'none'; sandbox\r\n")).toBe(kind === 'oci');
  });

  test('the server keeps running', async () => {
    const port = await start();
    await raw(port, 'hello\r\n\r\n');
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('ok');
  });
});

/** Generous, for a busy machine. */
const patience = { timeout: 60_000 };

describe('close', () => {
  test('waits for requests in flight and accepts no new ones', async () => {
    let pending: ServerResponse | undefined;
    const port = await start((_request, response) => void (pending = response));
    const answered = fetch(`http://127.0.0.1:${port}/`).then((response) => response.text());
    await expect.poll(() => pending, patience).toBeDefined();
    const closed = listener?.close(5_000);
    await expect(open(port)).rejects.toThrow(/ECONNREFUSED/);
    pending?.end('late');
    expect(await answered).toBe('late');
    expect(await closed).toBe(0);
  });

  test('waits for a client that still reads the answer', async () => {
    const large = Buffer.alloc(32 * 1024 * 1024, 7);
    const port = await start((_request, response) => void response.end(large));
    const socket = await open(port);
    socket.pause();
    socket.write(`GET / HTTP/1.1\r\n${host}Connection: close\r\n\r\n`);
    await once(socket, 'readable');
    const closed = listener?.close(60_000);
    await new Promise((resolve) => setTimeout(resolve, 300));
    let received = 0;
    for await (const chunk of socket) received += (chunk as Buffer).length;
    expect(received).toBeGreaterThan(large.length);
    expect(await closed).toBe(0);
    listener = undefined;
  });

  test('closes idle connections at once, aborts slow requests and returns their number', async () => {
    let asked = 0;
    const port = await start(() => void asked++);
    const idle = await open(port);
    const busy = await open(port);
    busy.write(`GET / HTTP/1.1\r\n${host}\r\n`);
    await expect.poll(() => asked, patience).toBe(1);
    expect(await listener?.close(200)).toBe(1);
    if (!idle.destroyed) await once(idle, 'close');
    listener = undefined;
  });
});

test('without a host, the server listens on all IPv4 and IPv6 addresses of the machine', async () => {
  listener = await listen(
    createListener((_request, response) => void response.end('ok')),
    { port: 0 },
  );
  expect(listener.url).toBe(`http://127.0.0.1:${listener.port}`);
  const hosts = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
  // The link-local addresses need the name of the interface too.
  const reachable = hosts.filter(({ address }) => !address.startsWith('fe80:'));
  expect(reachable.length).toBeGreaterThan(0);
  for (const { address, family } of reachable) {
    const host = family === 'IPv6' ? `[${address}]` : address;
    expect(await (await fetch(`http://${host}:${listener.port}/`)).text(), host).toBe('ok');
  }
  await expect(
    listen(
      createListener(() => undefined),
      { port: listener.port },
    ),
  ).rejects.toThrow(`cannot listen on :${listener.port}: another program already listens there`);
});

test('the error for an address in use names the address and the flags', async () => {
  const port = await start();
  await expect(
    listen(
      createListener(() => undefined),
      { host: '127.0.0.1', port },
    ),
  ).rejects.toMatchObject({
    code: 'address_in_use',
    message: `cannot listen on 127.0.0.1:${port}: another program already listens there; choose another port (--port, --metrics)`,
  });
});

describe('a client that half-closes its connection after the request', () => {
  test('gets its response and nothing else, even if the response is late', async () => {
    const port = await start((_request, response) => void setTimeout(() => response.end('ok'), 4_000));
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.end(`GET / HTTP/1.1\r\n${host}\r\n`);
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*ok$/);
  });
});
