import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { createListener, listen, type Handler, type Listener } from './listener.ts';

const silenceMs = 600;
/** More than the kernel buffers of one connection hold on both sides. */
const large = Buffer.alloc(32 * 1024 * 1024, 7);

let listener: Listener | undefined;
let silent: string[];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await listener?.close(0);
  listener = undefined;
});

/** A server that disconnects silent clients after `silenceMs`. */
async function start(handler: Handler): Promise<void> {
  silent = [];
  const onSilent = ({ req }: ServerResponse): void => void silent.push(req.url ?? '');
  listener = await listen(createListener(handler, { readers: { silenceMs, onSilent } }), {
    host: '127.0.0.1',
    port: 0,
  });
}

/** Requests a path and reads nothing yet. */
async function ask(path: string): Promise<Socket> {
  const socket = connect(Number(new URL(listener?.url ?? '').port), '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => undefined);
  socket.pause();
  await once(socket, 'connect');
  socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  return socket;
}

const connections = (): Promise<number> =>
  new Promise((resolve) => listener?.server.getConnections((_error, count) => resolve(count)));

test('a client that reads nothing is disconnected', async () => {
  await start((_request, response) => void response.end(large));
  await ask('/silent');
  await expect.poll(() => silent, { timeout: 20_000 }).toEqual(['/silent']);
  await expect.poll(connections, { timeout: 20_000 }).toBe(0);
});

test('a client that reads slowly is served to the end', { timeout: 60_000 }, async () => {
  await start((_request, response) => void response.end(large));
  const socket = await ask('/slow');
  let received = 0;
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
    socket.pause();
    // For a while, the client reads less per `silenceMs` than the kernel's buffers hold.
    setTimeout(() => socket.resume(), received < 2_000_000 ? 100 : 0);
  });
  socket.resume();
  await expect.poll(() => received, { timeout: 50_000 }).toBeGreaterThanOrEqual(large.length);
  expect(silent).toEqual([]);
});

test('idle clients, and clients that wait for the server, stay connected', async () => {
  await start((request, response) => {
    if (request.url === '/quick') return void response.end('ok');
    response.write('begun');
    setTimeout(() => response.end('ended'), 3 * silenceMs);
  });
  const waiting = await ask('/waiting');
  let received = '';
  waiting.on('data', (chunk: Buffer) => (received += chunk.toString())).resume();
  const idle = await ask('/quick');
  idle.resume();
  await sleep(2 * silenceMs);
  expect(await connections()).toBe(2);
  await expect.poll(() => received, { timeout: 20_000 }).toContain('ended');
  expect(silent).toEqual([]);
});
