import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from 'vitest';
import { limits, systemClock, TonnageError, type Clock } from '../../base/index.ts';
import { createListener, listen, type Listener } from '../listener.ts';
import { HandClock } from '../../identity/testing/fixtures.ts';
import { openApiFixture, type ApiFixture } from '../testing/api-fixture.ts';
import { createBodyReader, isWorthDraining } from './body-reader.ts';

let listener: Listener | undefined;
let fixture: ApiFixture | undefined;
afterEach(async () => {
  await listener?.close(0);
  await fixture?.close();
  fixture = undefined;
});

/** Starts the API on its own listener and returns the port. */
async function startApi(): Promise<number> {
  fixture = await openApiFixture();
  const { app } = fixture;
  listener = await listen(
    createListener((request, response) => app.routing(request, response)),
    { host: '127.0.0.1', port: 0 },
  );
  return Number(new URL(listener.url).port);
}

/** A server that answers the length of each body, or the code of the error. */
async function startReader(totalBytesMax: number, clock: Clock = systemClock): Promise<number> {
  const bodies = createBodyReader(clock, totalBytesMax);
  const server = createListener((request, response) => {
    bodies
      .read(request, String(request.headers['x-sender']), (body) => void response.end(`length ${body.length}\n`))
      .catch((error: unknown) => {
        if (!isWorthDraining(request)) response.setHeader('connection', 'close');
        response.end(error instanceof TonnageError ? `${error.code}\n` : 'something else\n');
      });
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

  /** Waits until the response matches, or the connection has ended. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#received) && !this.#socket.destroyed) await sleep(5);
    return this.#received;
  }
}

/** Sends bodies of this size, one after the other, until a response has this status. */
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

test('a body whose Content-Length is too large is rejected before it is sent, and its connection is closed', async () => {
  const client = await Client.open(await startApi());
  client.send(post(`Content-Length: ${2 ** 30}`));
  const answer = await client.until(/\r\n\r\n\{.*\}$/s);
  expect(answer).toMatch(/^HTTP\/1.1 413 /);
  expect(answer).toMatch(/\r\nconnection: close\r\n/i);
});

test('a body without Content-Length is rejected as soon as it exceeds the limit', async () => {
  const client = await Client.open(await startApi());
  client.send(post('Transfer-Encoding: chunked'));
  const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(2 ** 20, ' '), Buffer.from('\r\n')]);
  for (let sent = 0; sent <= limits.eventBodyBytesMax; sent += 2 ** 20) client.send(chunk);
  const answer = await client.until(/\r\n\r\n\{.*\}$/s);
  expect(answer).toMatch(/^HTTP\/1.1 413 /);
  expect(answer).toMatch(/\r\nconnection: close\r\n/i);
});

test('a client that sends single bytes does not delay other clients', async () => {
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

test('after a rejected body of ordinary size, the connection can be reused', async () => {
  const client = await Client.open(await startApi());
  const refused = post('Content-Length: 100000\r\nX-No-Credentials: 1') + ' '.repeat(100_000);
  client.send(`${refused}${post('Content-Length: 2')}[]`);
  const answer = await client.until(/200 OK(.|\r|\n)*\r\n\r\n\{.*\}$/);
  expect(answer.match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 200']);
});

test('the memory of each sender is limited and released', async () => {
  const port = await startReader(2_000);
  const first = await Client.open(port);
  first.send(`${post('Content-Length: 800')}${'x'.repeat(799)}`);
  // Until the bytes of the first body have arrived, others would still fit.
  await untilAnswered(port, 300, /unavailable\n$/);
  first.send('x');
  expect(await first.until(/length/)).toMatch(/length 800\n/);
  const third = await Client.open(port);
  third.send(`${post('Content-Length: 1000')}${'x'.repeat(1_000)}`);
  expect(await third.until(/length/)).toMatch(/length 1000\n/);
});

test('senders that stop halfway leave memory for others', async () => {
  const port = await startReader(10_000);
  const send = async (sender: string, bytes: number, stop: boolean): Promise<Client> => {
    const client = await Client.open(port);
    client.send(`${post(`X-Sender: ${sender}\r\nContent-Length: ${bytes}`)}${'x'.repeat(stop ? bytes - 1 : bytes)}`);
    return client;
  };
  for (const sender of ['a', 'b', 'c', 'd']) {
    await Promise.all(Array.from({ length: 8 }, () => send(sender, 1_000, true)));
  }
  for (let round = 0; round < 20; round++) {
    expect(await (await send('z', 500, false)).until(/length|unavailable/)).toMatch(/length 500\n/);
    await sleep(10);
  }
});

test('a body that arrives too slowly is rejected, and its connection is closed', async () => {
  const clock = new HandClock();
  const port = await startReader(1_000_000, clock);
  const steady = await Client.open(port);
  const stalled = await Client.open(port);
  steady.send(post('Content-Length: 30001'));
  stalled.send(`${post('Content-Length: 30001')}${'x'.repeat(30_000)}`);
  for (let window = 0; window < 2; window++) {
    steady.send('x'.repeat(15_000));
    await sleep(100);
    clock.forward(limits.eventBodyWindowMs);
    await sleep(limits.eventBodyCheckMs + 100);
  }
  const answer = await stalled.until(/request_too_slow\n/);
  expect(answer).toMatch(/request_too_slow\n/);
  expect(answer).toMatch(/\r\nconnection: close\r\n/i);
  steady.send('x');
  expect(await steady.until(/length|slow/)).toMatch(/length 30001\n/);
});

test('while memory is short, a body has a short deadline', async () => {
  const clock = new HandClock();
  const port = await startReader(1_000, clock);
  const stalled = await Promise.all(
    ['a', 'b'].map(async (sender) => {
      const client = await Client.open(port);
      client.send(`${post(`X-Sender: ${sender}\r\nContent-Length: 400`)}${'x'.repeat(300)}`);
      return client;
    }),
  );
  await sleep(100);
  clock.forward(limits.eventBodyShortMsMax);
  const answers = await Promise.race(stalled.map((client) => client.until(/unavailable\n/)));
  expect(answers).toMatch(/unavailable\n/);
});

test('a body of tiny chunks takes only its size in memory, and arrives complete', async () => {
  const port = await startReader(1_000_000);
  const client = await Client.open(port);
  client.send(`${post('Transfer-Encoding: chunked')}${'1\r\nx\r\n'.repeat(100_000)}0\r\n\r\n`);
  expect(await client.until(/length|unavailable/)).toMatch(/length 100000\n/);
});

test('compressed bodies wait for their turn, and count with their decompressed size', async () => {
  const port = await startReader(300_000);
  const body = gzipSync(Buffer.alloc(20_000));
  const clients = await Promise.all(Array.from({ length: 6 }, () => Client.open(port)));
  for (const client of clients) {
    client.send(post(`Content-Encoding: gzip\r\nContent-Length: ${body.length}`));
    client.send(body);
  }
  for (const client of clients) expect(await client.until(/length|unavailable/)).toMatch(/length 20000\n/);
  const large = gzipSync(Buffer.alloc(400_000));
  const client = await Client.open(port);
  client.send(post(`Content-Encoding: gzip\r\nContent-Length: ${large.length}`));
  client.send(large);
  expect(await client.until(/length|unavailable/)).toMatch(/unavailable\n/);
});

test('the memory of a client that disconnects is released', async () => {
  const port = await startReader(2_000);
  const gone = await Client.open(port);
  gone.send(`${post('Content-Length: 1000')}${'x'.repeat(999)}`);
  await untilAnswered(port, 2, /unavailable\n$/);
  gone.leave();
  await untilAnswered(port, 1_000, /length 1000\n$/);
});
