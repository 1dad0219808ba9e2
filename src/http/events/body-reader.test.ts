import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { limits, TonnageError } from '../../base/index.ts';
import { createListener, listen, type Listener } from '../listener.ts';
import { openApiFixture, type ApiFixture } from '../testing/api-fixture.ts';
import { createBodyReader } from './body-reader.ts';

let listener: Listener | undefined;
let fixture: ApiFixture | undefined;
afterEach(async () => {
  await listener?.close(0);
  await fixture?.close();
  fixture = undefined;
});

/** The API on a listener of its own; answers its port. */
async function startApi(): Promise<number> {
  fixture = await openApiFixture();
  const { app } = fixture;
  listener = await listen(
    createListener((request, response) => app.routing(request, response)),
    { host: '127.0.0.1', port: 0 },
  );
  return Number(new URL(listener.url).port);
}

/** A server that answers the length of each body, or the code of its refusal, within `totalBytesMax`. */
async function startReader(totalBytesMax: number): Promise<number> {
  const bodies = createBodyReader(totalBytesMax);
  const server = createListener((request, response) => {
    bodies
      .read(request, (body) => void response.end(`length ${body.length}\n`))
      .catch((error: unknown) => response.end(error instanceof TonnageError ? `${error.code}\n` : 'something else\n'));
  });
  listener = await listen(server, { host: '127.0.0.1', port: 0 });
  return Number(new URL(listener.url).port);
}

class Client {
  readonly #socket: Socket;
  #received = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => (this.#received += chunk.toString()));
    socket.on('error', () => undefined);
  }

  static async open(port: number): Promise<Client> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Client(socket);
  }

  send(bytes: string | Buffer): void {
    this.#socket.write(bytes);
  }

  leave(): void {
    this.#socket.destroy();
  }

  /** Waits until what came back matches, or the connection has ended. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#received) && !this.#socket.destroyed) await sleep(5);
    return this.#received;
  }
}

/** Sends bodies of so many bytes, one after the other, until one is answered like this. */
async function untilAnswered(port: number, bytes: number, expected: RegExp): Promise<void> {
  const answer = async (): Promise<string> => {
    const client = await Client.open(port);
    client.send(`${post(`Content-Length: ${bytes}`)}${'x'.repeat(bytes)}`);
    const received = await client.until(/(unavailable|length \d+)\n$/);
    client.leave();
    return received;
  };
  await expect.poll(answer, { timeout: 60_000 }).toMatch(expected);
}

const post = (headers: string) =>
  `POST /api/v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${headers}\r\n\r\n`;

test('a body that says that it is too large is refused before it is sent, and its connection ends', async () => {
  const client = await Client.open(await startApi());
  client.send(post(`Content-Length: ${2 ** 30}`));
  const answer = await client.until(/\r\n\r\n\{.*\}$/s);
  expect(answer).toMatch(/^HTTP\/1.1 413 /);
  expect(answer).toMatch(/\r\nconnection: close\r\n/i);
});

test('a body that turns out too large is refused as soon as it is', async () => {
  const client = await Client.open(await startApi());
  client.send(post('Transfer-Encoding: chunked'));
  const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(2 ** 20, ' '), Buffer.from('\r\n')]);
  for (let sent = 0; sent <= limits.eventBodyBytesMax; sent += 2 ** 20) client.send(chunk);
  const answer = await client.until(/\r\n\r\n\{.*\}$/s);
  expect(answer).toMatch(/^HTTP\/1.1 413 /);
  expect(answer).toMatch(/\r\nconnection: close\r\n/i);
});

test('a client that sends byte after byte keeps nobody waiting', async () => {
  const port = await startApi();
  const slow = await Client.open(port);
  slow.send(post('Content-Length: 2'));
  slow.send('[');
  const other = await Client.open(port);
  other.send(`${post('Content-Length: 2')}[]`);
  expect(await other.until(/\r\n\r\n\{.*\}$/s)).toMatch(/^HTTP\/1.1 200 /);
  slow.send(']');
  expect(await slow.until(/\r\n\r\n\{.*\}$/s)).toMatch(/^HTTP\/1.1 200 /);
});

test('a refused body of an ordinary size leaves its connection for the next request', async () => {
  const client = await Client.open(await startApi());
  const refused = post('Content-Length: 100000\r\nX-Nobody: 1') + ' '.repeat(100_000);
  client.send(`${refused}${post('Content-Length: 2')}[]`);
  const answer = await client.until(/200 OK(.|\r|\n)*\r\n\r\n\{.*\}$/);
  expect(answer.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 200']);
});

test('bodies in memory are bounded all together, and given back', async () => {
  const port = await startReader(1_000);
  const first = await Client.open(port);
  first.send(`${post('Content-Length: 800')}${'x'.repeat(799)}`);
  // Until the first one's bytes have come, others would still fit.
  await untilAnswered(port, 300, /unavailable\n$/);
  first.send('x');
  expect(await first.until(/length/)).toMatch(/length 800\n/);
  const third = await Client.open(port);
  third.send(`${post('Content-Length: 1000')}${'x'.repeat(1_000)}`);
  expect(await third.until(/length/)).toMatch(/length 1000\n/);
});

test('compressed bodies wait for their turn, and count as what they become', async () => {
  const port = await startReader(100_000);
  const body = gzipSync(Buffer.alloc(20_000));
  const clients = await Promise.all(Array.from({ length: 6 }, () => Client.open(port)));
  for (const client of clients) {
    client.send(post(`Content-Encoding: gzip\r\nContent-Length: ${body.length}`));
    client.send(body);
  }
  for (const client of clients) expect(await client.until(/length|unavailable/)).toMatch(/length 20000\n/);
  const large = gzipSync(Buffer.alloc(200_000));
  const client = await Client.open(port);
  client.send(post(`Content-Encoding: gzip\r\nContent-Length: ${large.length}`));
  client.send(large);
  expect(await client.until(/length|unavailable/)).toMatch(/unavailable\n/);
});

test('what a client had sent that left is given back', async () => {
  const port = await startReader(1_000);
  const gone = await Client.open(port);
  gone.send(`${post('Content-Length: 1000')}${'x'.repeat(999)}`);
  await untilAnswered(port, 2, /unavailable\n$/);
  gone.leave();
  await untilAnswered(port, 1_000, /length 1000\n$/);
});
