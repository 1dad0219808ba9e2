import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGzip, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scaled } from '../support/long.ts';
import { peakMemoryBytes, sleep } from '../support/program.ts';
import { eventually } from '../support/redis.ts';
import { startTonnage, type Tonnage } from '../support/tonnage.ts';

/** Bodies that would take the memory or the time of others: refused or bounded, and the other clients do not notice. */
const directory = mkdtempSync(join(tmpdir(), 'tonnage-attack-'));
const mebibyte = 1024 * 1024;

let server: Tonnage;
let bomb: Buffer;
beforeAll(async () => {
  bomb = await gzipOf(1024);
  server = await startTonnage(directory, { upstreams: {} });
});
afterAll(async () => {
  await server.program.stop('SIGTERM');
  rmSync(directory, { recursive: true, force: true });
});

const post = (headers: string, path = '/api/v1/events'): string =>
  `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${headers}\r\n\r\n`;

/** A connection that sends arbitrary bytes, and everything that it has received. */
class Client {
  readonly #socket: Socket;
  #received = '';
  #sent = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => (this.#received += chunk.toString()));
    socket.on('error', () => undefined);
  }

  static async open(): Promise<Client> {
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    return new Client(socket);
  }

  get received(): string {
    return this.#received;
  }

  get sent(): number {
    return this.#sent;
  }

  get isClosed(): boolean {
    return this.#socket.destroyed;
  }

  /** Sends, and waits while the other side does not read. */
  async send(bytes: string | Buffer): Promise<void> {
    this.#sent += bytes.length;
    if (this.#socket.write(bytes) || this.#socket.destroyed) return;
    await Promise.race([once(this.#socket, 'drain'), once(this.#socket, 'close')]).catch(() => undefined);
  }

  leave(): void {
    this.#socket.destroy();
  }

  async until(pattern: RegExp, waitMs = 60_000): Promise<string> {
    const deadline = performance.now() + waitMs;
    while (!pattern.test(this.#received) && !this.isClosed && performance.now() < deadline) await sleep(10);
    return this.#received;
  }
}

let sent = 0;

/** Sends one event as an ordinary client. Returns the duration in milliseconds. */
async function ordinary(): Promise<number> {
  const started = performance.now();
  const event = { specversion: '1.0', type: 'tonnage.build', source: '/ordinary', id: `${++sent}` };
  const response = await fetch(`${server.url}/api/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(event),
  });
  expect(await response.json()).toMatchObject({ accepted: 1 });
  return performance.now() - started;
}

/** How long requests of others took, the fastest first: before the attack, and while it went on. */
interface Times {
  readonly quiet: readonly number[];
  readonly attacked: readonly number[];
}

async function others(attack: () => Promise<unknown>): Promise<Times> {
  const quiet: number[] = [];
  while (quiet.length < 10) quiet.push(await ordinary());
  const state = { over: false };
  const ended = attack().finally(() => (state.over = true));
  const attacked: number[] = [];
  while (!state.over || attacked.length < 20) {
    attacked.push(await ordinary());
    await sleep(20);
  }
  await ended;
  const sorted = (times: readonly number[]): readonly number[] => times.toSorted((one, other) => one - other);
  return { quiet: sorted(quiet), attacked: sorted(attacked) };
}

/**
 * The middle one within a fifth of a second, and each within two: far above what is usual, far below what would be
 * noticed. More where all takes longer; and not the slowest two, which a disk that stood still may have held up.
 */
function expectUndisturbed({ quiet, attacked }: Times): void {
  const usual = quiet[Math.floor(quiet.length / 2)] ?? 0;
  expect(attacked[Math.floor(attacked.length / 2)]).toBeLessThan(200 + 20 * usual);
  expect(attacked.at(-3)).toBeLessThan(2_000 + 20 * usual);
}

const routes = ['/api/v1/events', '/api/v1/events/distribution'];

describe.each(routes)('at %s', (path) => {
  test('a body of 1 GiB that says so is refused before it is sent', async () => {
    const client = await Client.open();
    await client.send(post(`Content-Length: ${1024 * mebibyte}`, path));
    expect(await client.until(/request_too_large/)).toMatch(/^HTTP\/1\.1 413 /);
    client.leave();
  });

  test('a body of 1 GiB that does not say so is refused early, and never held', async () => {
    const before = peakMemoryBytes(server.pid);
    const client = await Client.open();
    const attack = async (): Promise<void> => {
      await client.send(post('Transfer-Encoding: chunked', path));
      const piece = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(mebibyte, ' '), Buffer.from('\r\n')]);
      for (let pieces = 0; pieces < 1024 && !client.isClosed; pieces++) await client.send(piece);
    };
    expectUndisturbed(await others(attack));
    // A client that keeps sending on a closed connection may never receive the answer.
    expect(client.received).toMatch(/^(HTTP\/1\.1 413 |$)/);
    // The server closed the connection long before the end: no more was sent than both sides' buffers hold.
    expect(client.isClosed).toBe(true);
    expect(client.sent).toBeLessThan(64 * mebibyte);
    expect(peakMemoryBytes(server.pid) - before).toBeLessThan(256 * mebibyte);
  });

  test('gzip that becomes 1 GiB is refused at what is allowed, by many at once, too', async () => {
    expect(bomb.length).toBeLessThan(2 * mebibyte);
    const before = peakMemoryBytes(server.pid);
    const answers: string[] = [];
    const attack = async (): Promise<void> => {
      const clients = await Promise.all(Array.from({ length: 16 }, () => Client.open()));
      await Promise.all(
        clients.map(async (client) => {
          await client.send(post(`Content-Encoding: gzip\r\nContent-Length: ${bomb.length}`, path));
          await client.send(bomb);
          answers.push(await client.until(/request_too_large|unavailable/));
          client.leave();
        }),
      );
    };
    expectUndisturbed(await others(attack));
    expect(answers.map((answer) => answer.slice(0, 12))).toEqual(Array.from({ length: 16 }, () => 'HTTP/1.1 413'));
    expect(peakMemoryBytes(server.pid) - before).toBeLessThan(256 * mebibyte);
  });
});

test('JSON that consists of brackets does not delay other clients', async () => {
  const bodies = ['['.repeat(8 * mebibyte), `[${'{},'.repeat(2 * mebibyte)}{}]`].map((text) => gzipSync(text));
  const attack = async (): Promise<void> => {
    for (let round = 0; round < 5; round++) {
      for (const body of bodies) {
        const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
        const response = await fetch(`${server.url}/api/v1/events`, { method: 'POST', headers, body });
        expect(response.status).toBe(413);
        await response.text();
      }
    }
  };
  expectUndisturbed(await others(attack));
});

test(
  'clients that send a byte a second take little memory, do not delay other clients, and are disconnected',
  { timeout: scaled(120_000, 600_000) },
  async () => {
    // A request may take a minute; every half minute it is seen to.
    const [seconds, cutOff] = [scaled(5, 95), scaled(0, 200)];
    const before = peakMemoryBytes(server.pid);
    const clients = await Promise.all(Array.from({ length: 200 }, () => Client.open()));
    await Promise.all(clients.map((client) => client.send(post(`Content-Length: ${8 * mebibyte}`))));
    const attack = async (): Promise<void> => {
      for (let second = 0; second < seconds; second++) {
        for (const client of clients) await client.send(' ');
        await sleep(1_000);
      }
    };
    expectUndisturbed(await others(attack));
    const closed = (): number => clients.filter(({ isClosed }) => isClosed).length;
    await eventually('the slow clients are disconnected', () => closed() >= cutOff);
    expect(closed()).toBe(cutOff);
    expect(peakMemoryBytes(server.pid) - before).toBeLessThan(64 * mebibyte);
    for (const client of clients) client.leave();
    await ordinary();
  },
);

/** So many MiB of blanks, compressed, without ever being whole in memory. */
async function gzipOf(mebibytes: number): Promise<Buffer> {
  const gzip = createGzip();
  const parts: Buffer[] = [];
  gzip.on('data', (part: Buffer) => parts.push(part));
  const piece = Buffer.alloc(mebibyte, ' ');
  for (let count = 0; count < mebibytes; count++) if (!gzip.write(piece)) await once(gzip, 'drain');
  gzip.end();
  await once(gzip, 'end');
  return Buffer.concat(parts);
}
