import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../base/index.ts';
import { encode, prometheusText } from '../../exposition/index.ts';
import { LabelNames, MetricSet, type GaugeFamily } from '../../metric/index.ts';
import { createListener, listen, type Listener } from '../index.ts';
import { openApiFixture, type ApiFixture } from '../testing/api-fixture.ts';
import { HandClock, TestPages, type PageSource } from '../testing/pages.ts';

const path = '/api/1.0/open-metrics/';
const names = new LabelNames(['task_name', 'scope', 'filler']);

/** A family with about 2 MB of samples for 10,000 points. */
function workRequests(count: number, revision = 0): GaugeFamily {
  const filler = 'x'.repeat(150);
  const points = Array.from({ length: count }, (_, at) => ({
    labels: names.of([`task-${at}`, `scope-${at % 3}`, filler]),
    value: at + revision,
  }));
  return { type: 'gauge', name: 'work_requests', help: 'Work requests.', points };
}

/** More than the cache and the buffers of a connection take: about 20 MB. */
const large = workRequests(95_000);

let clock: HandClock;
let pages: TestPages;
let source: PageSource;
let metrics: MetricSet;
let fixture: ApiFixture;
let listener: Listener;
const sockets: Socket[] = [];
beforeEach(async () => {
  clock = new HandClock();
  pages = new TestPages(clock);
  source = pages.add('');
  metrics = new MetricSet();
  fixture = await openApiFixture({ pages: pages.pages, metrics });
  const { app } = fixture;
  listener = await listen(
    createListener((request, response) => app.routing(request, response)),
    { host: '127.0.0.1', port: 0 },
  );
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await listener.close(0);
  await fixture.close();
  await pages.close();
});

/** Generous, for a busy machine. */
const patience = { timeout: 60_000 };

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Sends a request on a new connection. Rejects if the body is incomplete. */
async function ask(headers: OutgoingHttpHeaders = {}, method = 'GET'): Promise<Answer> {
  const asked = httpRequest(`${listener.url}${path}`, { method, headers, agent: false }).end();
  const [response] = await once(asked, 'response');
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) };
}

/** Sends a request on a new connection and reads nothing. */
async function askOnly(headers = '', version = '1.1'): Promise<Socket> {
  const socket = connect(listener.port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => undefined);
  socket.pause();
  await once(socket, 'connect');
  socket.write(`GET ${path} HTTP/${version}\r\nHost: localhost\r\n${headers}\r\n`);
  return socket;
}

/** Everything received until the connection ends. */
async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.resume();
  await once(socket, 'close');
  return Buffer.concat(chunks);
}

function valueOf(name: string): unknown {
  const family = metrics.gather().find((each) => each.name === name);
  return family?.type === 'counter' || family?.type === 'gauge' ? [...family.points][0]?.value : undefined;
}

const expected = (family: GaugeFamily): Buffer => Buffer.concat([...encode([family], prometheusText)]);

describe('a page that is too large for the cache', () => {
  beforeEach(async () => {
    source.families = [large];
    await pages.start();
  });

  test('is sent while it is rendered, without a length; HEAD has the same headers', async () => {
    const { status, headers, body } = await ask();
    expect([status, headers['content-length'], headers['transfer-encoding']]).toEqual([200, undefined, 'chunked']);
    expect(body.length).toBeGreaterThan(limits.pageBodyBytesMax);
    expect(body.equals(expected(large))).toBe(true);
    const head = await ask({}, 'HEAD');
    const { date: _, 'transfer-encoding': __, ...others } = headers;
    expect([head.status, head.body.length]).toEqual([200, 0]);
    expect(head.headers).toMatchObject(others);
    expect(valueOf('tonnage_page_body_bytes')).toBe(0);
  });

  test('is cached in a coding in which it is small', async () => {
    for (let again = 0; again < 3; again++) {
      const { headers, body } = await ask({ 'accept-encoding': 'gzip' });
      expect(headers['content-length']).toBe(String(body.length));
      expect(gunzipSync(body).equals(expected(large))).toBe(true);
    }
    expect(valueOf('tonnage_page_renderings')).toBe(1);
  });

  test('has a length over HTTP 1.0, so that a lost connection is noticed', async () => {
    const text = (await readAll(await askOnly('', '1.0'))).toString('latin1');
    const [head = '', body = ''] = text.split('\r\n\r\n', 2);
    expect(head).toContain(`content-length: ${body.length}`);
    expect(body.length).toBe(expected(large).length);
  });

  test('is sent to a client, whatever number of others read nothing', async () => {
    for (let at = 0; at < 10; at++) await askOnly();
    const { body } = await ask();
    expect(body.length).toBe(expected(large).length);
    const small = await ask({ 'accept-encoding': 'gzip' });
    expect(small.status).toBe(200);
  });

  test('ends with the connection if the client misses the deadline that it states', async () => {
    // From now on the page is known to be too large, so that the next response begins at once.
    await ask({}, 'HEAD');
    const socket = await askOnly('X-Prometheus-Scrape-Timeout-Seconds: 0.5\r\n');
    await expect.poll(() => fixture.logged, patience).toContain('info sending a page was aborted');
    const received = await readAll(socket);
    expect(received.length).toBeLessThan(expected(large).length);
    expect(received.subarray(-5).toString()).not.toBe('0\r\n\r\n');
  });
});

describe('a cached page', () => {
  test('is sent to a client, whatever number of others read nothing, and costs them one body', async () => {
    source.families = [workRequests(10_000)];
    await pages.start();
    for (let at = 0; at < 20; at++) await askOnly();
    const { headers, body } = await ask();
    expect([headers['content-length'], body.length]).toEqual([
      String(body.length),
      expected(workRequests(10_000)).length,
    ]);
    expect(valueOf('tonnage_page_renderings')).toBe(1);
    expect(valueOf('tonnage_page_body_bytes')).toBe(body.length);
  });

  test('is whole for a slow client, and unchanged if the source is read meanwhile', async () => {
    const [first, second] = [workRequests(40_000), workRequests(40_000, 1)];
    source.families = [first];
    await pages.start();
    const slow = await askOnly('Connection: close\r\n');
    await expect.poll(() => valueOf('tonnage_page_renderings'), patience).toBe(1);
    source.families = [second];
    await source.read();
    expect((await ask()).body.equals(expected(second))).toBe(true);
    const received = await readAll(slow);
    expect(received.subarray(received.indexOf('\r\n\r\n') + 4).equals(expected(first))).toBe(true);
  });

  test('ends with the connection if the client misses the deadline that it states', async () => {
    source.families = [workRequests(70_000)];
    await pages.start();
    await ask();
    const socket = await askOnly('X-Prometheus-Scrape-Timeout-Seconds: 0.5\r\n');
    await expect.poll(() => fixture.logged, patience).toContain('info sending a page was aborted');
    expect((await readAll(socket)).length).toBeLessThan(expected(workRequests(70_000)).length);
  });

  test('is rendered for the next client, if the first one disconnects meanwhile', async () => {
    source.families = [workRequests(40_000)];
    await pages.start();
    const gone = await askOnly();
    gone.destroy();
    expect((await ask()).body.equals(expected(workRequests(40_000)))).toBe(true);
    expect(valueOf('tonnage_page_renderings')).toBe(1);
    expect(fixture.logged.filter((line) => line.startsWith('error') || line.startsWith('warn'))).toEqual([]);
  });
});

test('other requests are answered while pages are rendered and a snapshot is taken', async () => {
  source.families = [workRequests(80_000)];
  await pages.start();
  source.families = [workRequests(80_000, 1)];
  let pending = true;
  const accepts = ['text/plain', 'application/openmetrics-text'];
  const work = Promise.all([source.read(), ...accepts.map((accept) => ask({ accept, 'accept-encoding': 'gzip' }))]);
  const ended = work.finally(() => (pending = false));
  let answered = 0;
  while (pending) {
    await ask({}, 'OPTIONS');
    if (pending) answered++;
  }
  await ended;
  expect(answered).toBeGreaterThan(5);
});
