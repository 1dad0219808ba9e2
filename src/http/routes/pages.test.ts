import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { InjectOptions } from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TonnageError } from '../../base/index.ts';
import { parse } from '../../exposition/index.ts';
import type { Principal } from '../../identity/index.ts';
import { MetricSet } from '../../metric/index.ts';
import { openApiFixture, type ApiFixture } from '../testing/api-fixture.ts';
import { gaugeOf, HandClock, TestPages, type PageSource } from '../testing/pages.ts';

const root = '/api/1.0/open-metrics/';
const openMetrics = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const text = 'text/plain; version=0.0.4; charset=utf-8';

let clock: HandClock;
let pages: TestPages;
let source: PageSource;
let metrics: MetricSet;
let fixture: ApiFixture;
beforeEach(async () => {
  clock = new HandClock();
  pages = new TestPages(clock);
  source = pages.add('');
  source.families = [
    gaugeOf('artifacts', [
      [{ category: 'debian:source-package', scope: 'debian' }, 3],
      [{ category: 'debian:source-package', scope: 'other' }, 5],
    ]),
    gaugeOf('users', [[{ active: '1' }, 7]]),
  ];
  metrics = new MetricSet();
  fixture = await openApiFixture({ pages: pages.pages, metrics });
});
afterEach(async () => {
  await fixture.close();
  await pages.close();
});

type Headers = Readonly<Record<string, string>>;

const send = (url: string, headers: Headers = {}, method: InjectOptions['method'] = 'GET') =>
  fixture.app.inject({ method: method ?? 'GET', url, headers });

/** Opens the API again for clients with this principal. */
async function openFor(principal: Principal): Promise<void> {
  await fixture.close();
  fixture = await openApiFixture({ pages: pages.pages, principal });
}

/** The number of bodies that were rendered. */
function renderings(): unknown {
  const family = metrics.gather().find(({ name }) => name === 'tonnage_page_renderings');
  return family?.type === 'counter' ? [...family.points].map(({ value }) => value)[0] : undefined;
}

describe('a page', () => {
  test.each([
    ['no Accept header', {}, '', text],
    ['Accept: */*', { accept: '*/*' }, '', text],
    ['Accept of a browser', { accept: 'text/html,application/json;q=0.9' }, '', text],
    ['OpenMetrics', { accept: 'application/openmetrics-text' }, '', openMetrics],
    [
      'Prometheus 2',
      {
        accept:
          'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
      },
      '',
      openMetrics,
    ],
    [
      'Prometheus 3',
      {
        accept:
          'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,/;q=0.1',
      },
      '',
      openMetrics,
    ],
    ['text by its quality', { accept: 'application/openmetrics-text;q=0.1,text/plain;q=0.9' }, '', text],
    ['?format=openmetrics', { accept: 'text/plain' }, '?format=openmetrics', openMetrics],
    ['?format=prometheus', { accept: 'application/openmetrics-text' }, '?format=prometheus', text],
    ['?format=', { accept: 'application/openmetrics-text' }, '?format=', openMetrics],
    ['an unknown parameter', {}, '?colour=red', text],
  ])('with %s has the right format', async (_, headers, query, contentType) => {
    await pages.start();
    const answer = await send(`${root}${query}`, headers);
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, contentType]);
    const format = contentType === text ? 'text' : 'openmetrics';
    expect(parse(answer.rawPayload, { format }).map(({ name }) => name)).toEqual(['artifacts', 'users']);
    expect(answer.headers['content-length']).toBe(String(answer.rawPayload.length));
    expect(answer.headers).toMatchObject({
      vary: 'Accept, Accept-Encoding, Authorization',
      'x-content-type-options': 'nosniff',
    });
  });

  test.each([
    ['gzip', gunzipSync],
    ['zstd', zstdDecompressSync],
  ] as const)('in the coding %s has the same bytes, and a length', async (coding, decode) => {
    await pages.start();
    const plain = await send(root);
    for (let again = 0; again < 2; again++) {
      const answer = await send(root, { 'accept-encoding': coding });
      expect(answer.headers).toMatchObject({
        'content-encoding': coding,
        'content-length': String(answer.rawPayload.length),
      });
      expect(decode(answer.rawPayload).equals(plain.rawPayload)).toBe(true);
    }
    expect(renderings()).toBe(2);
  });

  test('answers HEAD with the headers of GET', async () => {
    await pages.start();
    for (const headers of [{}, { 'accept-encoding': 'gzip' }, { accept: 'application/openmetrics-text' }]) {
      const head = await send(root, headers, 'HEAD');
      const get = await send(root, headers);
      const { date: _, ...expected } = get.headers;
      expect([head.statusCode, head.rawPayload.length]).toEqual([200, 0]);
      expect(head.headers).toMatchObject(expected);
    }
  });

  test('is rendered once for each read of its source, however many clients ask', async () => {
    await pages.start();
    const crowd = await Promise.all(Array.from({ length: 50 }, () => send(root)));
    expect(new Set(crowd.map(({ body }) => body)).size).toBe(1);
    expect(renderings()).toBe(1);
    source.families = [gaugeOf('users', [[{ active: '1' }, 8]])];
    await source.read();
    expect((await send(root)).body).toContain('users{active="1"} 8\n');
    await send(root);
    expect(renderings()).toBe(2);
  });
});

describe('the age of a page', () => {
  test('is stated by max-age until the next read, and by Last-Modified', async () => {
    await pages.start();
    const fresh = (await send(root)).headers;
    expect(fresh).toMatchObject({
      'cache-control': 'public, max-age=30',
      'last-modified': 'Sat, 21 Nov 2026 12:00:00 GMT',
    });
    clock.move(12_500);
    const later = (await send(root)).headers;
    expect([later['cache-control'], later['last-modified']]).toEqual([
      'public, max-age=17',
      'Sat, 21 Nov 2026 12:00:00 GMT',
    ]);
    expect([fresh.age, later.age]).toEqual([undefined, undefined]);
  });

  test('is stated by Age once a read has failed, and the last data are still served', async () => {
    await pages.start();
    source.families = new Error('connection refused');
    clock.move(30_000);
    await source.read();
    expect((await send(root)).headers.age).toBeUndefined();
    clock.move(45_900);
    await source.read();
    const answer = await send(root);
    expect(answer.body).toContain('users{active="1"} 7\n');
    expect(answer.headers).toMatchObject({
      age: '75',
      'cache-control': 'public, max-age=0',
      'last-modified': 'Sat, 21 Nov 2026 12:00:00 GMT',
    });
    expect(renderings()).toBe(1);
  });
});

describe('without data', () => {
  const detail = async (headers: Headers = {}) => {
    const answer = await send(root, headers);
    expect(answer.statusCode).toBe(503);
    const { code, detail: reason } = answer.json<{ code: string; detail: string }>();
    return [code, reason, answer.headers['retry-after']];
  };

  test('a page says that its source is being read', async () => {
    const reason = 'this page has no data yet: its source is being read for the first time';
    expect(await detail()).toEqual(['unavailable', reason, '1']);
  });

  test('a page says why its source cannot be read, and only a client with the right query gets the details', async () => {
    source.families = new TypeError('no host 10.1.2.3');
    await pages.start();
    clock.move(5_500);
    const reason = 'this page has no data yet: reading its source failed';
    expect(await detail({ 'x-no-credentials': '1' })).toEqual(['unavailable', reason, '25']);
    expect(await detail()).toEqual(['unavailable', `${reason} (source source-: no host 10.1.2.3)`, '25']);
    await openFor({ subject: 'farm', debusineScope: 'debian', rights: new Set(['query']) });
    expect(await detail()).toEqual(['unavailable', reason, '25']);
    await openFor({ subject: 'ci', rights: new Set(['ingest']) });
    expect(await detail()).toEqual(['unavailable', reason, '25']);
  });
});

describe('other requests', () => {
  test.each([
    [`${root}?format=json`, 404, 'format: expected openmetrics or prometheus, got another one'],
    [`${root}?format=openmetrics&format=prometheus`, 400, 'format: expected it once, got it several times'],
    [`${root}farm/`, 404, 'no source has this path: expected the `path` of a source with the driver debusine'],
    [`${root}farm`, 404, 'no source has this path: expected the `path` of a source with the driver debusine'],
    [`${root}farm/x`, 404, 'there is no such path'],
    ['/api/1.0/', 404, 'there is no such path'],
  ])('%s gets %i', async (url, status, detail) => {
    await pages.start();
    const answer = await send(url, { accept: 'application/openmetrics-text' });
    expect([answer.statusCode, answer.json<{ detail: string }>().detail]).toEqual([status, detail]);
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)('%s gets 405 with Allow', async (method) => {
    for (const url of [root, `${root}farm/`, root.slice(0, -1)]) {
      const answer = await send(url, {}, method);
      expect([answer.statusCode, answer.headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS']);
    }
  });

  test('OPTIONS gets Allow, without authentication or data', async () => {
    const answer = await send(root, { 'x-no-credentials': '1' }, 'OPTIONS');
    expect([answer.statusCode, answer.headers.allow, answer.body]).toEqual([200, 'GET, HEAD, OPTIONS', '']);
  });

  test('a path without a slash is redirected, with its query', async () => {
    pages.add('farm');
    await fixture.close();
    fixture = await openApiFixture({ pages: pages.pages });
    for (const method of ['GET', 'HEAD'] as const) {
      const answer = await send(`${root.slice(0, -1)}?format=openmetrics&x=%2F%2Fevil.example`, {}, method);
      expect([answer.statusCode, answer.headers.location]).toEqual([
        301,
        `${root}?format=openmetrics&x=%2F%2Fevil.example`,
      ]);
      expect((await send(`${root}farm`, {}, method)).headers.location).toBe(`${root}farm/`);
    }
  });

  test('without a page, every path of pages is 404 with the reason', async () => {
    await fixture.close();
    fixture = await openApiFixture();
    for (const url of [root, root.slice(0, -1), `${root}farm/`, `${root}?format=json`]) {
      for (const method of ['GET', 'OPTIONS'] as const) {
        const answer = await send(url, {}, method);
        expect([answer.statusCode, answer.json<{ detail: string }>().detail]).toEqual([
          404,
          'expected a source with the driver debusine in the configuration, got none',
        ]);
      }
    }
  });
});

describe('several pages', () => {
  test('each have their own families, and the path without a name has none', async () => {
    const both = new TestPages(clock);
    both.add('a').families = [gaugeOf('one', [[{}, 1]])];
    both.add('b').families = [gaugeOf('two', [[{}, 2]])];
    await both.start();
    await fixture.close();
    fixture = await openApiFixture({ pages: both.pages });
    const bodies = await Promise.all(['a', 'b', '%61'].map(async (name) => (await send(`${root}${name}/`)).body));
    const one = '# HELP one Number of one\n# TYPE one gauge\none 1\n';
    expect(bodies).toEqual([one, '# HELP two Number of two\n# TYPE two gauge\ntwo 2\n', one]);
    expect((await send(root)).statusCode).toBe(404);
    await both.close();
  });

  test('the only page is at the path without a name as well', async () => {
    const single = new TestPages(clock);
    single.add('a').families = [gaugeOf('one', [[{}, 1]])];
    await single.start();
    await fixture.close();
    fixture = await openApiFixture({ pages: single.pages });
    expect((await send(root)).body).toBe((await send(`${root}a/`)).body);
    await single.close();
  });
});

describe('scopes', () => {
  const whole = ['artifacts{category="debian:source-package",scope="debian"} 3'];

  test('a token for a scope sees that scope, with or without the parameter', async () => {
    await pages.start();
    await openFor({ subject: 'farm', debusineScope: 'debian', rights: new Set(['query']) });
    for (const query of ['', '?scope=debian']) {
      const { body, headers } = await send(`${root}${query}`);
      expect(body.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([
        ...whole,
        'users{active="1"} 7',
      ]);
      expect(headers['cache-control']).toBe('private, max-age=30');
    }
    const other = await send(`${root}?scope=other`);
    expect([other.statusCode, other.json<{ detail: string }>().detail]).toEqual([
      403,
      'scope: expected "debian", the scope of this token',
    ]);
    expect((await send(`${root}?scope=`)).statusCode).toBe(403);
  });

  test.each<[string, Principal]>([
    ['an administrator', { subject: 'root', rights: new Set(['query', 'admin']) }],
    ['a user', { subject: 'alice', org: 'a.org', rights: new Set(['pull']) }],
  ])('%s needs a token for the parameter, and sees the whole page without it', async (_, principal) => {
    await pages.start();
    await openFor(principal);
    for (const headers of [{}, { 'x-no-credentials': '1' }]) {
      const answer = await send(`${root}?scope=debian`, headers);
      expect(answer.statusCode).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('Basic realm="Tonnage", charset="UTF-8"');
      expect((await send(root, headers)).body).toContain('scope="other"');
    }
  });
});

describe('access', () => {
  test('the page of a source with required access is private', async () => {
    const closed = new TestPages(clock);
    closed.add('', 'required');
    await closed.start();
    await fixture.close();
    fixture = await openApiFixture({ pages: closed.pages });
    expect((await send(root)).headers['cache-control']).toBe('private, max-age=30');
    await closed.close();
  });

  test('each page is authorised by its access, before anything is said about its data', async () => {
    const asked: string[] = [];
    pages.add('closed', 'required');
    await fixture.close();
    fixture = await openApiFixture({
      pages: pages.pages,
      authorisePage: (_request, access) => {
        asked.push(access);
        return Promise.reject(new TonnageError('unauthorized', 'not you'));
      },
    });
    for (const name of ['', 'closed/']) expect((await send(`${root}${name}?format=json`)).statusCode).toBe(401);
    expect(asked).toEqual(['public', 'required']);
  });
});
