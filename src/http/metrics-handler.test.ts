import { once } from 'node:events';
import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { limits, systemClock, TonnageError, type Log } from '../base/index.ts';
import { parse } from '../exposition/index.ts';
import { labelSet, MetricSet, type GaugePoint, type MetricFamily } from '../metric/index.ts';
import { createListener, createMetricsHandler, listen, type Listener } from './index.ts';

let listener: Listener | undefined;
let own: MetricSet;
/** Number of gatherings, and the log. */
let seen = { gathered: 0, logged: [] as string[] };
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await listener?.close(0);
  listener = undefined;
});

/** Serves the families of `gather` on a free port. */
async function serve(gather: () => readonly MetricFamily[]): Promise<string> {
  own = new MetricSet();
  const mine = { gathered: 0, logged: [] as string[] };
  seen = mine;
  const line = (fields: object, message: string): void => void mine.logged.push(`${message} ${JSON.stringify(fields)}`);
  const log: Log = { debug: line, info: line, warn: line, error: line };
  const handler = createMetricsHandler({
    gather: () => {
      mine.gathered++;
      return gather();
    },
    metrics: own,
    clock: systemClock,
    log,
  });
  listener = await listen(createListener(handler), { host: '127.0.0.1', port: 0 });
  return `${listener.url}/metrics`;
}

/** The value of one of the handler's own counters, or the count of its histogram. */
function counted(name: string): unknown {
  const family = own.gather().find((each) => each.name === name);
  const [point] = family?.type === 'counter' || family?.type === 'histogram' ? family.points : [];
  return point !== undefined && 'value' in point ? point.value : point?.counts.at(-1);
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Sends a request on a new connection and returns the raw body. Rejects if the body is incomplete. */
async function ask(url: string, headers: OutgoingHttpHeaders = {}, method = 'GET'): Promise<Answer> {
  const asked = httpRequest(url, { method, headers, agent: false }).end();
  const [response] = await once(asked, 'response');
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) };
}

/** Sends a request on a new connection and reads nothing. */
async function askOnly(url: string, text: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => undefined);
  socket.pause();
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

/** Everything received until the connection ends. */
async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.resume();
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

/** Generous, for a busy machine. */
const patience = { timeout: 60_000 };

/** Connections that the server has accepted. */
const connections = (): Promise<number | undefined> =>
  new Promise((resolve) => listener?.server.getConnections((_error, count) => resolve(count)));

const request = (query = '', version = '1.1'): string =>
  `GET /metrics${query} HTTP/${version}\r\nHost: localhost\r\n\r\n`;

const pulls: MetricFamily = {
  type: 'counter',
  name: 'pulls',
  help: 'Pulls.',
  points: [{ labels: labelSet({ arch: 'größer' }), value: 3 }],
};
const size: MetricFamily = { type: 'gauge', name: 'size', help: 'Size.', points: [{ labels: labelSet({}), value: 1 }] };

/** A family of `count` lazily created points. `onPoint` is called with the index of each. */
function large(count: number, onPoint: (index: number) => void = () => undefined): MetricFamily {
  const points: Iterable<GaugePoint> = {
    *[Symbol.iterator]() {
      for (let index = 0; index < count; index++) {
        onPoint(index);
        yield { labels: labelSet({ index: String(index), filler: 'x'.repeat(100) }), value: index };
      }
    },
  };
  return { type: 'gauge', name: 'large', help: 'Large.', points };
}

/** More than the buffers between two sockets hold: some 13 MB. */
const manyPoints = 100_000;

describe('a scrape', () => {
  test.each([
    ['', 'text/plain; version=0.0.4; charset=utf-8', /^# HELP pulls_total Pulls\.\n/],
    ['application/openmetrics-text', 'application/openmetrics-text; version=1.0.0; charset=utf-8', /\n# EOF\n$/],
    ['text/plain;version=1.0.0', 'text/plain; version=1.0.0; charset=utf-8; escaping=underscores', /^# HELP/],
    ['image/png', 'text/plain; version=0.0.4; charset=utf-8', /^# HELP/],
  ])('with Accept %j gets %s', async (accept, contentType, text) => {
    const { status, headers, body } = await ask(await serve(() => [pulls]), { accept });
    expect([status, headers['content-type']]).toEqual([200, contentType]);
    expect([headers['cache-control'], headers.vary]).toEqual(['no-store', 'Accept, Accept-Encoding']);
    expect(body.toString()).toMatch(text);
    await expect.poll(() => counted('tonnage_scrape_duration_seconds'), patience).toBe(1);
  });

  test.each([
    ['gzip', gunzipSync],
    ['zstd', zstdDecompressSync],
  ] as const)('in coding %s decodes to the same bytes', async (coding, undo) => {
    const url = await serve(() => [pulls, large(5_000)]);
    const plain = await ask(url);
    const coded = await ask(url, { 'accept-encoding': coding });
    expect([plain.headers['content-encoding'], coded.headers['content-encoding']]).toEqual([undefined, coding]);
    expect(coded.body.length).toBeLessThan(plain.body.length / 5);
    expect(undo(coded.body).equals(plain.body)).toBe(true);
  });

  test('gets the families that it names, or all', async () => {
    const url = await serve(() => [pulls, size]);
    const names = async (query: string) =>
      parse((await ask(`${url}${query}`)).body, { format: 'text' }).map(({ name }) => name);
    expect(await names('?name[]=size')).toEqual(['size']);
    expect(await names('?name%5B%5D=pulls_total&name[]=size&other=1')).toEqual(['pulls', 'size']);
    expect(await names('?name[]=none')).toEqual([]);
    expect(await names('?')).toEqual(['pulls', 'size']);
  });

  test('over HTTP 1.0 has a Content-Length, so that a lost connection is noticed', async () => {
    const url = await serve(() => [pulls, large(2_000)]);
    const { body } = await ask(url);
    const [head = '', ...parts] = (await readAll(await askOnly(url, request('', '1.0')))).split('\r\n\r\n');
    expect(head.toLowerCase()).toContain(`\r\ncontent-length: ${body.length}\r\n`);
    expect(parts.join('\r\n\r\n')).toBe(body.toString());
  });
});

describe('other requests', () => {
  test('HEAD gets the headers of GET, and gathers nothing', async () => {
    const url = await serve(() => [pulls]);
    const accept = { accept: 'application/openmetrics-text', 'accept-encoding': 'gzip' };
    const head = await ask(url, accept, 'HEAD');
    expect([head.status, head.body.length, seen.gathered]).toEqual([200, 0, 0]);
    const get = await ask(url, accept);
    const compared = ['content-type', 'content-encoding', 'vary', 'cache-control'];
    expect(compared.map((name) => head.headers[name])).toEqual(compared.map((name) => get.headers[name]));
    await expect.poll(() => counted('tonnage_scrape_duration_seconds'), patience).toBe(1);
  });

  test.each([
    ['GET', '/', 404, 'not_found'],
    ['GET', '/metrics/', 404, 'not_found'],
    ['GET', '/metricsx', 404, 'not_found'],
    ['HEAD', '/api', 404, ''],
    ['POST', '/', 404, 'not_found'],
    ['POST', '/metrics', 405, 'method_not_allowed'],
    ['DELETE', '/metrics?x', 405, 'method_not_allowed'],
  ])('%s %s gets %d', async (method, path, expected, code) => {
    const url = await serve(() => [pulls]);
    const { status, headers, body } = await ask(new URL(path, url).href, {}, method);
    expect([status, headers['content-type']]).toEqual([expected, 'application/problem+json']);
    expect(headers.allow).toBe(expected === 405 ? 'GET, HEAD' : undefined);
    expect(body.toString()).toContain(code);
    expect(body.length > 0).toBe(code !== '');
    expect(seen.gathered).toBe(0);
  });
});

describe('many concurrent scrapes', () => {
  test('share few expositions, all complete', async () => {
    const url = await serve(() => [
      large(20_000),
      { ...size, points: [{ labels: labelSet({}), value: seen.gathered }] },
    ]);
    const crowd = await Promise.all(Array.from({ length: 60 }, () => askOnly(url, '')));
    await expect.poll(connections, patience).toBe(crowd.length);
    for (const socket of crowd) socket.write(request().replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    const answers = await Promise.all(crowd.map(readAll));
    const values = answers.map((answer) => /\nsize (\d+)\n/.exec(answer)?.[1]);
    expect(new Set(values)).toEqual(new Set(Array.from({ length: seen.gathered }, (_, index) => String(index + 1))));
    expect(seen.gathered).toBe(limits.scrapesMax);
    await expect.poll(() => counted('tonnage_scrapes_shared'), patience).toBe(60 - limits.scrapesMax + 1);
    await expect.poll(() => counted('tonnage_scrape_duration_seconds'), patience).toBe(60);
    expect(counted('tonnage_scrapes_broken_off')).toBe(0);
  });
});

describe('a scraper that does not read', () => {
  test('stops its rendering, and delays no other scrape', async () => {
    let made = 0;
    const url = await serve(() => [large(manyPoints * 5, () => made++)]);
    const socket = await askOnly(url, request());
    await expect.poll(() => made, patience).toBeGreaterThan(0);
    let before = -1;
    await expect.poll(() => before === (before = made), { ...patience, interval: 300 }).toBe(true);
    expect(made).toBeLessThan(manyPoints * 4);
    expect((await ask(url, {}, 'HEAD')).status).toBe(200);
    expect(made).toBe(before);
    expect(socket.destroyed).toBe(false);
  });

  test('does not block others, even if there are many of its kind', async () => {
    const url = await serve(() => [large(manyPoints), size]);
    for (let count = 0; count < limits.scrapesMax + 1; count++) await askOnly(url, request());
    const { status, body } = await ask(`${url}?name[]=size`);
    expect([status, body.toString()]).toEqual([200, '# HELP size Size.\n# TYPE size gauge\nsize 1\n']);
  });

  test('is disconnected after the deadline', async () => {
    const url = await serve(() => [large(manyPoints)]);
    const socket = await askOnly(
      url,
      request().replace('\r\n\r\n', '\r\nX-Prometheus-Scrape-Timeout-Seconds: 0.6\r\n\r\n'),
    );
    await expect.poll(() => counted('tonnage_scrapes_broken_off'), patience).toBe(1);
    expect(seen.logged).toEqual([expect.stringMatching(/^scrape aborted .*longer than 350 ms/)]);
    expect((await readAll(socket)).endsWith('\r\n0\r\n\r\n')).toBe(false);
  });
});

test('a scrape that finds no free rendering before its deadline gets an error', async () => {
  const url = await serve(() => [large(manyPoints)]);
  for (let count = 1; count < limits.scrapesMax; count++) await askOnly(url, request());
  for (let count = 0; count < limits.scrapeBodiesMax; count++) {
    await askOnly(url, request(`?name[]=large&name[]=${count}`));
  }
  await expect.poll(() => seen.gathered, patience).toBe(limits.scrapesMax - 1 + limits.scrapeBodiesMax);
  const { status, body } = await ask(url, { 'x-prometheus-scrape-timeout-seconds': '0.4' });
  expect([status, JSON.parse(body.toString())]).toEqual([503, expect.objectContaining({ code: 'unavailable' })]);
});

test('the event loop stays responsive while a large exposition is rendered', async () => {
  let made = 0;
  const url = await serve(() => [large(manyPoints * 2, () => made++)]);
  const scrape = ask(url);
  let answered = 0;
  while (made < manyPoints * 2) {
    await ask(url, {}, 'HEAD');
    answered++;
  }
  expect((await scrape).body.length).toBeGreaterThan(manyPoints * 2 * 100);
  expect(answered).toBeGreaterThan(5);
});

describe('scrapers that disconnect', () => {
  test.each([
    ['before the response', 0],
    ['during the response', 50],
  ])('%s only increase a counter', async (_, afterMs) => {
    const url = await serve(() => [large(manyPoints)]);
    const leavers = limits.scrapesMax + limits.scrapeBodiesMax + 3;
    for (let count = 0; count < leavers; count++) {
      const socket = await askOnly(url, request(`?name[]=large&name[]=${count}`));
      await sleep(afterMs);
      socket.destroy();
    }
    await expect.poll(() => counted('tonnage_scrapes_broken_off'), patience).toBe(leavers);
    const body = (await ask(url)).body.toString();
    expect(body.match(/\n/g)).toHaveLength(manyPoints + 2);
    // They hold no rendering: scrapes are separate streams again.
    expect(counted('tonnage_scrapes_shared')).toBe(0);
    expect(new Set(seen.logged)).toEqual(new Set(['scrape aborted {"error":"the scraper disconnected"}']));
  });
});

describe('a family that throws while it is rendered', () => {
  const broken = large(50_000, (index) => {
    if (index === 30_000) throw new Error('cannot be read');
  });

  test.each(['identity', 'gzip', 'zstd'])('closes the connection (%s)', async (coding) => {
    const url = await serve(() => [pulls, broken]);
    await expect(ask(url, { 'accept-encoding': coding })).rejects.toThrow('aborted');
    expect(counted('tonnage_scrapes_broken_off')).toBe(1);
    expect(seen.logged).toEqual(['scrape aborted {"error":"cannot be read"}']);
  });

  test('yields an error response if nothing has been sent', async () => {
    const url = await serve(() => [pulls, broken]);
    const answer = await readAll(await askOnly(url, request('', '1.0')));
    expect(answer).toMatch(/^HTTP\/1\.1 500 [^]*"code":"internal_error"/);
    expect(answer).not.toContain('pulls');
  });

  test('does not affect later scrapes', async () => {
    let calls = 0;
    const url = await serve(() => (calls++ < 5 ? [broken] : [pulls]));
    for (let count = 0; count < 5; count++) await expect(ask(url)).rejects.toThrow('aborted');
    expect((await ask(url)).body.toString()).toContain('pulls_total{arch="größer"} 3\n');
  });
});

test.each([
  [new Error('secret place'), 500, 'internal_error'],
  [new TonnageError('unavailable', 'not now'), 503, 'unavailable'],
])('families that cannot be gathered (%s) get %d', async (error, expected, code) => {
  const url = await serve(() => {
    throw error;
  });
  const { status, body } = await ask(url);
  expect([status, JSON.parse(body.toString())]).toEqual([expected, expect.objectContaining({ code })]);
  expect(body.toString()).not.toContain('secret place');
  expect(seen.logged).toEqual([`scrape aborted ${JSON.stringify({ error: error.message })}`]);
});
