import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { connect as connectPlain, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificates } from '../../../test/support/redis-tls.ts';
import { limits, systemClock } from '../../base/index.ts';
import { createListener, listen, type Handler, type Listener } from '../listener.ts';
import type { SilentReaderOptions } from '../silent-readers.ts';
import { ListenerCertificate } from './listener-certificate.ts';
import type { HandshakeFailure, ListenerTls } from './server.ts';

interface Made {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
/** Generous, for a busy machine. */
const patience = { timeout: 60_000 };

let directory: string;
let made: readonly [Made, Made];
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-tls-'));
  const make = async (name: string): Promise<Made> => {
    const { ca, cert, key } = await makeCertificates(join(directory, name));
    const pem = (file: string): string => readFileSync(file, 'utf8');
    return { ca: pem(ca), cert: pem(cert), key: pem(key) };
  };
  made = [await make('a'), await make('b')];
});
afterAll(() => rmSync(directory, { recursive: true }));

let listener: Listener | undefined;
let certificate: ListenerCertificate | undefined;
let failures: [HandshakeFailure, string | undefined][];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await listener?.close(0);
  certificate?.close();
  listener = undefined;
});

function use(pair: Made): { readonly cert: string; readonly key: string } {
  const files = { cert: join(directory, 'tls.crt'), key: join(directory, 'tls.key') };
  for (const name of ['cert', 'key'] as const) {
    writeFileSync(`${files[name]}.new`, pair[name]);
    renameSync(`${files[name]}.new`, files[name]);
  }
  return files;
}

interface Setting extends Partial<ListenerTls> {
  readonly readers?: SilentReaderOptions;
}

/** A listener with TLS on a free port, whose certificate is read again every 20 ms. */
async function start(handler: Handler, { readers, ...tls }: Setting = {}): Promise<number> {
  const files = use(made[0]);
  const mine: [HandshakeFailure, string | undefined][] = [];
  failures = mine;
  certificate = new ListenerCertificate({
    cert: { text: made[0].cert.trim(), file: files.cert },
    key: { text: made[0].key.trim(), file: files.key },
    checkMs: 20,
    clock: systemClock,
    log,
  });
  const onFailure = (failure: HandshakeFailure, client: string | undefined): void => void mine.push([failure, client]);
  const server = createListener(handler, { ...(readers && { readers }), tls: { certificate, onFailure, ...tls } });
  listener = await listen(server, { host: '127.0.0.1', port: 0 });
  return listener.port;
}

const answerOk: Handler = (_request, response) => void response.end('ok');

/** Trusts both authorities. */
const trust = (): { readonly ca: string[] } => ({ ca: made.map(({ ca }) => ca) });

async function open(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', ...trust(), ...options });
  sockets.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

async function openPlain(port: number): Promise<Socket> {
  const socket = connectPlain(port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

async function get(port: number, agent: Agent | false = false): Promise<string> {
  const asked = httpsRequest({ port, host: '127.0.0.1', agent, ...trust() }).end();
  const [response] = await once(asked, 'response');
  return text(response);
}

const get1 = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
const connections = (): Promise<number> =>
  new Promise((resolve) => listener?.server.getConnections((_error, count) => resolve(count)));

describe('a listener with TLS', () => {
  test('has an https URL and speaks TLS 1.2 and 1.3 with HTTP 1.1', async () => {
    const port = await start(answerOk);
    expect(listener?.url).toBe(`https://127.0.0.1:${port}`);
    expect(await get(port)).toBe('ok');
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = await open(port, { minVersion: version, maxVersion: version, ALPNProtocols: ['h2', 'http/1.1'] });
      expect([socket.getProtocol(), socket.alpnProtocol]).toEqual([version, 'http/1.1']);
    }
    expect(failures).toEqual([]);
  });

  test('refuses older versions of TLS', async () => {
    const port = await start(answerOk);
    const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await expect(open(port, old)).rejects.toThrow(/protocol version|version too low/);
    await expect.poll(() => failures, patience).toEqual([['refused', '127.0.0.1']]);
  });

  test('answers malformed requests, and half-closing clients', async () => {
    const port = await start((_request, response) => void setTimeout(() => response.end('late'), 300));
    const malformed = await open(port);
    malformed.write('hello\r\n\r\n');
    expect(await text(malformed)).toMatch(/^HTTP\/1\.1 400 [^]*the request is not valid HTTP/);
    const halfClosed = await open(port);
    halfClosed.allowHalfOpen = true;
    halfClosed.end(get1);
    expect(await text(halfClosed)).toMatch(/^HTTP\/1\.1 200 [^]*late$/);
  });
});

describe('handshakes that fail', () => {
  test('because the client speaks plain http, which closes the connection', async () => {
    const port = await start(answerOk);
    const socket = await openPlain(port);
    socket.end(get1);
    if (!socket.destroyed) await once(socket.resume(), 'close');
    expect(failures).toEqual([['plain_http', '127.0.0.1']]);
    expect(await get(port)).toBe('ok');
  });

  test.each([
    ['sends nothing', 0],
    ['sends a byte now and then', 50],
  ])('because the client %s', async (_title, everyMs) => {
    const handshakeMsMax = 600;
    const port = await start(answerOk, { handshakeMsMax });
    const started = performance.now();
    const slow = await openPlain(port);
    // The start of a ClientHello of 256 bytes.
    if (everyMs > 0) slow.write(Buffer.from([0x16, 3, 1, 1, 0, 1, 0, 0, 0xfc]));
    const timer = everyMs > 0 ? setInterval(() => slow.write(Buffer.from([3])), everyMs) : undefined;
    if (!slow.destroyed) await once(slow.resume(), 'close');
    clearInterval(timer);
    expect(performance.now() - started).toBeGreaterThanOrEqual(handshakeMsMax - 50);
    expect(failures).toEqual([['timeout', '127.0.0.1']]);
    expect(await connections()).toBe(0);
  });

  test('because there are too many connections; another client is served once one of them ends', async () => {
    const port = await start(answerOk, { connectionsMax: 3 });
    const held = await Promise.all([openPlain(port), openPlain(port), openPlain(port)]);
    await expect.poll(connections, patience).toBe(3);
    await expect(get(port)).rejects.toThrow(/ECONNRESET|socket disconnected|EPIPE/);
    expect(failures).toEqual([['limit', '127.0.0.1']]);
    held[0].destroy();
    await expect.poll(connections, patience).toBe(2);
    expect(await get(port)).toBe('ok');
  });

  test('do not slow down the others: 300 at a time', { timeout: 120_000 }, async () => {
    const port = await start(answerOk);
    const idle = await Promise.all(Array.from({ length: 300 }, () => openPlain(port)));
    for (const [index, socket] of idle.entries()) if (index % 2 === 0) socket.write('hello\r\n\r\n');
    const started = performance.now();
    for (let count = 0; count < 20; count++) expect(await get(port)).toBe('ok');
    expect(performance.now() - started).toBeLessThan(limits.tlsHandshakeMsMax);
    await expect.poll(() => failures.filter(([failure]) => failure === 'refused').length, patience).toBe(150);
  });
});

describe('clients that read nothing of their answer', () => {
  const large = Buffer.alloc(32 * 1024 * 1024, 7);
  const silenceMs = 600;

  test('are disconnected; those that read slowly are not', { timeout: 120_000 }, async () => {
    const silent: string[] = [];
    const onSilent = ({ req }: ServerResponse): void => void silent.push(req.url ?? '');
    const port = await start((_request, response) => void response.end(large), { readers: { silenceMs, onSilent } });
    const quiet = await open(port);
    quiet.pause();
    quiet.write(get1.replace('/', '/silent'));
    const slow = await open(port);
    let received = 0;
    slow.on('data', (chunk: Buffer) => {
      received += chunk.length;
      // For a while, the client reads less per `silenceMs` than the buffers hold.
      if (received > 2_000_000) return;
      slow.pause();
      setTimeout(() => slow.resume(), 25);
    });
    slow.write(get1.replace('/', '/slow'));
    await expect.poll(() => silent, patience).toEqual(['/silent']);
    await expect.poll(() => received, { timeout: 30_000 }).toBeGreaterThanOrEqual(large.length);
    expect(silent).toEqual(['/silent']);
    await expect.poll(connections, patience).toBe(1);
  });
});

describe('close', () => {
  test('waits for requests in flight, and not for idle connections or handshakes', async () => {
    let pending: ServerResponse | undefined;
    const port = await start((_request, response) => void (pending = response));
    const answered = get(port);
    await expect.poll(() => pending, patience).toBeDefined();
    const handshake = await openPlain(port);
    const idle = await open(port);
    await expect.poll(connections, patience).toBe(3);
    const closed = listener?.close(30_000);
    for (const socket of [handshake, idle]) if (!socket.destroyed) await once(socket.resume(), 'close');
    expect(await connections()).toBe(1);
    pending?.end('late');
    expect(await answered).toBe('late');
    expect(await closed).toBe(0);
    listener = undefined;
  });

  test('with handshakes only is at once', async () => {
    const port = await start(answerOk);
    await Promise.all([openPlain(port), openPlain(port)]);
    await expect.poll(connections, patience).toBe(2);
    const started = performance.now();
    expect(await listener?.close(30_000)).toBe(0);
    expect(performance.now() - started).toBeLessThan(10_000);
    listener = undefined;
  });
});

test('a new certificate serves new connections, and no request is lost while it is replaced under load', async () => {
  const port = await start(answerOk);
  const keptAlive = new Agent({ keepAlive: true, maxSockets: 4 });
  let isOver = false;
  let answered = 0;
  const ask = async (agent: Agent | false): Promise<void> => {
    while (!isOver) {
      expect(await get(port, agent)).toBe('ok');
      answered++;
    }
  };
  const clients = [ask(false), ask(false), ask(false), ask(keptAlive), ask(keptAlive)];
  const serial = async (): Promise<string> => (await open(port)).getPeerCertificate().serialNumber;
  const serials = [await serial()];
  for (let count = 1; count <= 20; count++) {
    use(made[count % 2 === 0 ? 0 : 1]);
    await expect.poll(serial, patience).not.toBe(serials.at(-1));
    serials.push(await serial());
    await sleep(10);
  }
  isOver = true;
  await Promise.all(clients);
  keptAlive.destroy();
  expect(new Set(serials).size).toBe(2);
  expect(answered).toBeGreaterThan(20);
  expect(failures.filter(([failure]) => failure !== 'disconnected')).toEqual([]);
});
