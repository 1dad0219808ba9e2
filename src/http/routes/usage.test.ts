import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TonnageError } from '../../base/index.ts';
import { LoginLimited } from '../../identity/index.ts';
import { fixtureDay, openApiFixture, type ApiFixture } from '../testing/api-fixture.ts';

let fixture: ApiFixture;
beforeAll(async () => {
  fixture = await openApiFixture();
  const pull = (org: string | undefined, arch: string, repository: string, quantity: bigint) => ({
    meter: 'pulls',
    dimensions: { ...(org !== undefined && { org }), arch, upstream: 'docker.io', repository },
    quantity,
  });
  await fixture.ledger.record([
    pull('a.org', 'amd64', 'library/alpine', 3n),
    pull('a.org', 'arm64', 'library/alpine', 1n),
    pull('b.org', 'amd64', 'library/"odd", name', 2n ** 60n),
    pull(undefined, 'amd64', 'library/alpine', 5n),
  ]);
});
afterAll(() => fixture.close());

const get = (query: string, headers: Record<string, string> = {}) =>
  fixture.app.inject({ url: `/api/v1/usage/${query}`, headers });

describe('GET /api/v1/usage/{meter}', () => {
  test('answers in the described shape, with integers written in full', async () => {
    const response = await get('pulls?by=org,arch,day');
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toBe('application/json');
    expect(response.body).toBe(
      `{"meter":"pulls","from":"${fixtureDay}","to":"2026-11-22","window":"day","rows":[` +
        `{"from":"${fixtureDay}","org":"b.org","arch":"amd64","value":1152921504606846976},` +
        `{"from":"${fixtureDay}","org":null,"arch":"amd64","value":5},` +
        `{"from":"${fixtureDay}","org":"a.org","arch":"amd64","value":3},` +
        `{"from":"${fixtureDay}","org":"a.org","arch":"arm64","value":1}],"total":1152921504606846985}`,
    );
  });

  test('filters by any dimension, and for events without one', async () => {
    expect((await get('pulls?repository=library/alpine&arch=arm64')).json()).toMatchObject({ total: 1 });
    expect((await get('pulls?org=')).json()).toMatchObject({ total: 5, rows: [{ value: 5 }] });
  });

  test.each([
    ['org=A.ORG', 4],
    ['arch=x86_64&org=a.org', 3],
    ['arch=aarch64', 1],
    ['arch=ARM64', 1],
    ['org=__other__', 0],
    ['arch=__other__', 0],
    ['org=nobody.org', 0],
    ['arch=', 0],
  ])('%s finds events counted under the normalised value', async (query, total) => {
    const response = await get(`pulls?${query}`);
    expect([response.statusCode, response.json<{ total: number }>().total]).toEqual([200, total]);
  });

  test('a value that was counted exactly as written is not normalised', async () => {
    const of = (org: string, arch: string) => ({ meter: 'scans', dimensions: { org, arch }, quantity: 1n });
    await fixture.ledger.record([of('Wave.org', 'x86_64'), of('wave.org', 'amd64'), of('wave.org', 'amd64')]);
    const total = async (query: string) => (await get(`scans?${query}`)).json<{ total: number }>().total;
    const asked = ['org=Wave.org', 'org=wave.org', 'org=WAVE.org', 'arch=x86_64', 'arch=amd64', 'arch=x86-64'];
    expect(await Promise.all(asked.map(total))).toEqual([1, 2, 2, 1, 2, 2]);
  });

  test('pages by cursor and links to the next page', async () => {
    const first = await get('pulls?by=org,arch&limit=3');
    const { next, rows } = first.json<{ next: string; rows: unknown[] }>();
    expect(rows).toHaveLength(3);
    expect(first.headers['link']).toBe(`<?by=org%2Carch&limit=3&cursor=${next}>; rel="next"`);
    const second = (await get(`pulls?by=org,arch&limit=3&cursor=${next}`)).json<{ rows: unknown[] }>();
    expect(second).toMatchObject({ rows: [{ org: 'a.org', arch: 'arm64', value: 1 }] });
    expect(second).not.toHaveProperty('next');
  });

  test('is CSV by Accept or by format; format overrides Accept', async () => {
    const csv = 'org,value\r\n';
    const byAccept = await get('pulls?by=org&org=a.org', { accept: 'text/csv' });
    expect(byAccept.headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(byAccept.body).toBe(`${csv}a.org,4\r\n`);
    expect((await get('pulls?by=org&org=a.org&format=json', { accept: 'text/csv' })).json()).toMatchObject({
      total: 4,
    });
    expect((await get('pulls?by=repository&org=b.org&format=csv')).body).toBe(
      'repository,value\r\n"library/""odd"", name",1152921504606846976\r\n',
    );
  });

  test('escapes formulas in CSV, but not in csv-raw', async () => {
    const dimensions = { org: 'a.org', repository: '=1+1' };
    await fixture.ledger.record([{ meter: 'mirrors', dimensions, quantity: 1n }]);
    const body = async (format: string) => (await get(`mirrors?by=repository&format=${format}`)).body;
    expect(await body('csv')).toBe("repository,value\r\n'=1+1,1\r\n");
    expect(await body('csv-raw')).toBe('repository,value\r\n=1+1,1\r\n');
    expect((await get('mirrors?format=csv-raw')).headers['content-type']).toBe('text/csv; charset=utf-8');
  });

  test.each([
    ['pulls?from=2026-13-01', 400, 'bad_request', /^from: expected a day as YYYY-MM-DD, got "2026-13-01"$/],
    ['pulls?from=2026-02-02&to=2026-02-01', 400, 'bad_request', /^from: expected a day no later than to/],
    [
      'pulls?from=9999-12-30',
      400,
      'bad_request',
      /^from: expected a day no later than tomorrow \(\d{4}-\d\d-\d\d\) without to, got "9999-12-30"$/,
    ],
    ['pulls?colour=red', 400, 'bad_request', /^"colour": there is no such parameter$/],
    ['pulls?org=a&org=b', 400, 'bad_request', /^org: expected it once, got it several times$/],
    [
      'pulls?by=tag',
      400,
      'bad_request',
      /^by: expected dimensions that are kept \(org, arch, upstream, repository\), got "tag"$/,
    ],
    ['pulls?user=alice', 400, 'bad_request', /^user: expected a dimension that is kept/],
    [
      'pulls?org=a%20b',
      400,
      'bad_request',
      /^org: expected an organisation such as example\.org, or one that has been counted, got "a b"$/,
    ],
    [
      'pulls?arch=linux/amd64',
      400,
      'bad_request',
      /^arch: expected an architecture such as amd64, or one that has been counted, got "linux\/amd64"$/,
    ],
    ['pulls?format=xml', 400, 'bad_request', /format/],
    ['pools', 404, 'not_found', /^meter: expected one of pulls/],
  ])('%s is rejected with a problem', async (query, status, code, detail) => {
    const response = await get(query);
    expect(response.statusCode).toBe(status);
    expect(response.headers['content-type']).toBe('application/problem+json');
    expect(response.json()).toEqual({
      type: 'about:blank',
      title: expect.any(String),
      status,
      code,
      detail: expect.stringMatching(detail),
    });
  });

  test('needs credentials, and sends a challenge', async () => {
    const response = await get('pulls', { 'x-no-credentials': '1' });
    expect(response.statusCode).toBe(401);
    expect(response.headers['www-authenticate']).toMatch(/^Basic realm=/);
    expect(response.json()).toMatchObject({ code: 'unauthorized' });
  });
});

describe('a temporary error', () => {
  test.each([
    [new LoginLimited(12), 429, '12'],
    [new TonnageError('query_deadline', 'not now'), 503, '5'],
    [new TonnageError('identity_unavailable', 'nobody can say'), 503, '5'],
  ] as const)('%s has Retry-After', async (error, status, seconds) => {
    const refusing = await openApiFixture({ authorise: () => Promise.reject(error) });
    const response = await refusing.app.inject('/api/v1/usage/pulls');
    await refusing.close();
    expect(refusing.logged).toEqual(error.code === 'query_deadline' ? ['warn request failed'] : []);
    expect([response.statusCode, response.headers['retry-after']]).toEqual([status, seconds]);
    expect(response.json()).toMatchObject({ code: error.code, detail: error.message });
  });
});

describe('a principal of one organisation', () => {
  let bound: ApiFixture;
  beforeAll(async () => {
    bound = await openApiFixture({ principal: { subject: 'u', org: 'a.org', rights: new Set(['query']) } });
    await bound.ledger.record([
      { meter: 'pulls', dimensions: { org: 'a.org' }, quantity: 1n },
      { meter: 'pulls', dimensions: { org: 'b.org' }, quantity: 7n },
      { meter: 'pulls', dimensions: {}, quantity: 9n },
    ]);
  });
  afterAll(() => bound.close());

  test.each([
    'pulls',
    'pulls?by=org',
    'pulls?by=org&top=1',
    'pulls?by=org,day&limit=1',
    'pulls?org=a.org',
    'pulls?org=A.ORG',
    'pulls?format=csv',
    'pulls?by=org&format=csv',
  ])('%s shows only its own usage', async (query) => {
    const response = await bound.app.inject(`/api/v1/usage/${query}`);
    expect(response.statusCode).toBe(200);
    // Apart from the dates, the answer has its own single pull, and neither the 7 nor the 9 of others.
    const figures = response.body.replaceAll(/\d{4}-\d\d-\d\d/g, '').match(/\d+/g) ?? [];
    expect(new Set(figures)).toEqual(new Set(['1']));
    expect(response.body).not.toContain('b.org');
  });

  test('the cursor of a principal that sees more is not valid', async () => {
    const { next } = (await get('pulls?by=org&limit=1')).json<{ next: string }>();
    for (const format of ['json', 'csv']) {
      const answer = await bound.app.inject(`/api/v1/usage/pulls?by=org&limit=1&cursor=${next}&format=${format}`);
      expect([answer.statusCode, answer.json<{ detail: string }>().detail]).toEqual([
        400,
        `cursor: expected a cursor of the same query, in which only limit may differ, got "${next}"`,
      ]);
    }
  });

  test('its own cursors continue after the previous page, whether the query names its organisation or not', async () => {
    const pages = 'fusion?by=org,repository&limit=1';
    await bound.ledger.record([
      { meter: 'fusion', dimensions: { org: 'a.org', repository: 'x' }, quantity: 2n },
      { meter: 'fusion', dimensions: { org: 'a.org', repository: 'y' }, quantity: 1n },
    ]);
    const ask = (query: string) => bound.app.inject(`/api/v1/usage/${pages}${query}`);
    const { next } = (await ask('')).json<{ next: string }>();
    for (const org of ['', '&org=a.org', '&org=A.org']) {
      expect((await ask(`${org}&cursor=${next}`)).json()).toMatchObject({ rows: [{ repository: 'y', value: 1 }] });
    }
  });

  test('no answer reveals whether others have an unusual architecture', async () => {
    await bound.ledger.record([{ meter: 'builds', dimensions: { org: 'b.org', arch: 'ODD_1' }, quantity: 1n }]);
    const answers = await Promise.all(
      ['ODD_1', 'ODD_2'].map((arch) => bound.app.inject(`/api/v1/usage/builds?arch=${arch}`)),
    );
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([400, 400]);
  });

  test.each(['pulls?org=b.org', 'pulls?org=', 'pulls?org=b.org&format=csv', 'pulls?org=b.org&top=1'])(
    '%s gets 403',
    async (query) => {
      const response = await bound.app.inject(`/api/v1/usage/${query}`);
      expect(response.statusCode).toBe(403);
      expect(response.json()).toMatchObject({ code: 'forbidden' });
    },
  );
});

describe('the other routes', () => {
  test('meters', async () => {
    expect((await fixture.app.inject('/api/v1/meters')).json()).toEqual({
      meters: expect.arrayContaining([{ name: 'pulls', eventType: 'tonnage.pull', unit: '1' }]),
    });
  });

  test('health and readiness', async () => {
    expect((await fixture.app.inject('/healthz')).json()).toEqual({ alive: true });
    expect((await fixture.app.inject('/readyz')).json()).toEqual({ ready: true, checks: { ledger: 'ok' } });
  });

  test('an unknown path gets 404, an unsupported method 405 with Allow', async () => {
    const missing = await fixture.app.inject('/api/v2/usage');
    expect([missing.statusCode, missing.json<{ code: string }>().code]).toEqual([404, 'not_found']);
    const wrong = await fixture.app.inject({ method: 'POST', url: '/api/v1/usage/pulls' });
    expect([wrong.statusCode, wrong.json<{ code: string }>().code]).toEqual([405, 'method_not_allowed']);
    expect(wrong.headers['allow']).toBe('GET, HEAD');
    const malformed = await fixture.app.inject('/api/v1/usage/%ff');
    expect([malformed.statusCode, malformed.headers['content-type']]).toEqual([400, 'application/problem+json']);
  });

  test('if the dashboard has not been built, its route says how to build it', async () => {
    const response = await fixture.app.inject('/');
    expect(response.statusCode).toBe(404);
    expect(response.json()).toMatchObject({ detail: expect.stringContaining('npm start') });
  });

  test('the description is OpenAPI 3.1 and has every route', async () => {
    const description = (await fixture.app.inject('/openapi.json')).json<{ openapi: string; paths: object }>();
    expect(description.openapi).toBe('3.1.0');
    expect(Object.keys(description.paths)).toEqual(
      expect.arrayContaining([
        '/api/v1/usage/{meter}',
        '/api/v1/meters',
        '/healthz',
        '/readyz',
        '/v1alpha3/metrics/pulls',
      ]),
    );
  });
});
