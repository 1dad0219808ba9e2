import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { limits, TonnageError } from '../../base/index.ts';
import type { Principal, Right } from '../../identity/index.ts';
import { MetricSet } from '../../metric/index.ts';
import { fixtureTime, openApiFixture, type ApiFixture } from '../testing/api-fixture.ts';

let fixture: ApiFixture | undefined;
afterEach(async () => {
  await fixture?.close();
  fixture = undefined;
});

function principal(org: string | undefined, ...rights: Right[]): Principal {
  return { subject: 'ci', ...(org !== undefined && { org }), rights: new Set(rights) };
}

async function open(overrides: Parameters<typeof openApiFixture>[0] = {}): Promise<ApiFixture> {
  fixture = await openApiFixture(overrides);
  return fixture;
}

const build = (id: string, data: object = {}, changes: object = {}) => ({
  specversion: '1.0',
  type: 'tonnage.build',
  source: '/ci',
  id,
  data,
  ...changes,
});

/** An event in binary mode. */
const attributes = { 'ce-specversion': '1.0', 'ce-type': 'tonnage.build', 'ce-source': '/ci', 'ce-id': '%31' };

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly headers: Readonly<Record<string, unknown>>;
}

async function post(payload: unknown, headers: Record<string, string> = {}, query = ''): Promise<Answer> {
  const response = await (fixture ?? (await open())).app.inject({
    method: 'POST',
    url: `/api/v1/events${query}`,
    headers: 'ce-only' in headers ? attributes : { 'content-type': 'application/json', ...headers },
    payload: typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload),
  });
  return { status: response.statusCode, body: response.json<Record<string, unknown>>(), headers: response.headers };
}

async function total(meter: string, query = ''): Promise<number> {
  const response = await fixture?.app.inject(`/api/v1/usage/${meter}?${query}`);
  return response?.json<{ total: number }>().total ?? Number.NaN;
}

const batchType = { 'content-type': 'application/cloudevents-batch+json' };
const counts = (accepted: number, duplicate: number, voided: number, refused: number) => ({
  accepted,
  duplicate,
  voided,
  refused,
});

describe('an event', () => {
  test('counts once, however often it is sent', async () => {
    const events = [build('1', { org: 'a.org', quantity: 2 }), build('2', { org: 'b.org' })];
    expect((await post(events, batchType)).body).toEqual({
      ...counts(2, 0, 0, 0),
      results: [
        { index: 0, source: '/ci', id: '1', status: 'accepted' },
        { index: 1, source: '/ci', id: '2', status: 'accepted' },
      ],
    });
    expect((await post([...events, build('3')], batchType)).body).toMatchObject(counts(1, 2, 0, 0));
    expect(await total('builds')).toBe(4);
    expect(await total('builds', 'org=a.org')).toBe(2);
  });

  test('is the same in each content mode', async () => {
    expect((await post(build('1'), { 'content-type': 'application/cloudevents+json' })).body).toMatchObject(
      counts(1, 0, 0, 0),
    );
    for (const answer of [
      await post([build('1')], batchType),
      await post([build('1')]),
      await post(build('1')),
      await post({}, attributes),
      await post('', { 'ce-only': '' }),
      await post(gzipSync(JSON.stringify(build('1'))), { 'content-encoding': 'gzip' }),
    ]) {
      expect(answer).toMatchObject({ status: 200, body: counts(0, 1, 0, 0) });
    }
    expect(await total('builds')).toBe(1);
  });

  test('counts on the day of its own time', async () => {
    await post(build('1', {}, { time: '2026-11-20T23:59:59Z' }));
    expect(await total('builds', 'from=2026-11-20&to=2026-11-21')).toBe(1);
  });

  test('can be voided, even before it arrives', async () => {
    await post(build('1', { quantity: 5 }));
    const revoke = (id: string, target: string) => build(id, { source: '/ci', id: target }, { type: 'tonnage.void' });
    expect((await post([revoke('v1', '1'), revoke('v2', '2')])).body).toMatchObject(counts(2, 0, 0, 0));
    expect(await total('builds')).toBe(0);
    expect((await post(build('2'))).body).toMatchObject({
      ...counts(0, 0, 1, 0),
      results: [{ index: 0, source: '/ci', id: '2', status: 'voided' }],
    });
    expect(await total('builds')).toBe(0);
  });

  test('is refused if it is invalid, and the rest of its batch is accepted', async () => {
    const { status, body } = await post([build('1'), build('2', { arch: 'a,b' }), 'x', build('3')], batchType);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ...counts(2, 0, 0, 2),
      results: [
        { index: 0, status: 'accepted' },
        { index: 1, source: '/ci', id: '2', status: 'refused', code: 'invalid_dimension' },
        { index: 2, status: 'refused', code: 'invalid_event' },
        { index: 3, status: 'accepted' },
      ],
    });
    expect(await total('builds')).toBe(2);
    expect(fixture?.logged).toContain('info 2 events were refused');
  });

  test('gets 422 if all events are refused, and 200 if there are none', async () => {
    const { status, body } = await post(build('1', { colour: 'red' }));
    expect(status).toBe(422);
    expect(body).toMatchObject({ ...counts(0, 0, 0, 1), results: [{ code: 'unknown_member' }] });
    expect(await post([])).toMatchObject({ status: 200, body: { ...counts(0, 0, 0, 0), results: [] } });
  });

  test.each([
    ['too_old', fixtureTime - 36 * 86_400_000],
    ['in_future', fixtureTime + 2 * 3_600_000],
  ])('is refused as %s by its time', async (code, time) => {
    const { body } = await post(build('1', {}, { time: new Date(time).toISOString() }));
    expect(body).toMatchObject({ ...counts(0, 0, 0, 1), results: [{ code }] });
  });

  test('is listed among thousands only on request', async () => {
    const events = Array.from({ length: 2_000 }, (_, index) => build(String(index), { org: `o${index % 7}.org` }));
    expect((await post(events, batchType)).body).toMatchObject({ ...counts(2_000, 0, 0, 0), results: [] });
    expect(await total('builds')).toBe(2_000);
    const again = await post(events, batchType, '?results=all');
    expect(again.body).toMatchObject({ ...counts(0, 2_000, 0, 0), results: { length: 2_000 } });
  });
});

describe('the sender', () => {
  test('needs the right ingest', async () => {
    await open({ principal: principal(undefined, 'pull', 'query') });
    expect(await post(build('1'))).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect(await post('x'.repeat(100), { 'x-no-credentials': '' })).toMatchObject({
      status: 401,
      body: { code: 'unauthorized' },
    });
  });

  test('may write only its own organisation if it is bound to one', async () => {
    await open({ principal: principal('a.org', 'query', 'ingest') });
    const events = [build('1'), build('2', { org: 'b.org' }), build('3', { email: 'x@b.org' })];
    expect((await post(events)).body).toMatchObject({
      ...counts(1, 0, 0, 2),
      results: [
        { status: 'accepted' },
        { status: 'refused', code: 'not_your_organisation' },
        { status: 'refused', code: 'not_your_organisation' },
      ],
    });
    expect(await total('builds', 'org=a.org')).toBe(1);
  });
});

describe('an invalid request', () => {
  test.each([
    ['invalid JSON', '{', {}, 400, 'bad_request'],
    ['a number', '7', {}, 400, 'bad_request'],
    ['a list in structured mode', '[]', { 'content-type': 'application/cloudevents+json' }, 400, 'bad_request'],
    ['a form', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'unsupported_media_type'],
    ['another coding', '{}', { 'content-encoding': 'br' }, 415, 'unsupported_media_type'],
    ['invalid gzip', '{}', { 'content-encoding': 'gzip' }, 400, 'bad_request'],
    ['truncated gzip', gzipSync('[]').subarray(0, 15), { 'content-encoding': 'gzip' }, 400, 'bad_request'],
    ['a gzip bomb', gzipSync(Buffer.alloc(64 * 2 ** 20)), { 'content-encoding': 'gzip' }, 413, 'request_too_large'],
    ['too many events', `[${'{},'.repeat(limits.eventBatchMax)}{}]`, {}, 413, 'request_too_large'],
    ['too many bytes', Buffer.alloc(limits.eventBodyBytesMax + 1, ' '), {}, 413, 'request_too_large'],
  ])('%s gets a problem', async (_, payload, headers, status, code) => {
    const answer = await post(payload, headers);
    expect(answer).toMatchObject({ status, body: { code, status } });
    expect(answer.headers['content-type']).toBe('application/problem+json');
  });

  test('gets a problem for an unknown parameter or method', async () => {
    expect(await post([], {}, '?colour=red')).toMatchObject({ status: 400, body: { code: 'bad_request' } });
    const response = await fixture?.app.inject('/api/v1/events');
    expect([response?.statusCode, response?.headers['allow']]).toEqual([405, 'POST']);
  });
});

test('a batch that cannot be committed gets 503 with Retry-After and is not counted', async () => {
  const { ledger } = await open();
  const away = async () => Promise.reject(new TonnageError('ledger_unavailable', 'the disk is full'));
  await fixture?.close();
  await open({ ledger: { ...ledger, ingest: away } });
  const answer = await post(build('1'));
  expect(answer).toMatchObject({ status: 503, body: { code: 'ledger_unavailable' } });
  expect(answer.headers['retry-after']).toBe('5');
});

test('outcomes and reasons are counted', async () => {
  const metrics = new MetricSet();
  await open({ metrics });
  await post([build('1'), build('1'), build('2', { colour: 'red' })], batchType);
  const families = metrics.gather().filter(({ name }) => name.startsWith('tonnage_ingest'));
  const values = families.flatMap(({ name, points }) =>
    [...points].map((point) => [`${name} ${point.labels.values.join()}`, 'value' in point ? point.value : undefined]),
  );
  expect(Object.fromEntries(values)).toMatchObject({
    'tonnage_ingest_events accepted': 1,
    'tonnage_ingest_events duplicate': 1,
    'tonnage_ingest_events refused': 1,
    'tonnage_ingest_events voided': 0,
    'tonnage_ingest_refused_events unknown_member': 1,
    'tonnage_ingest_refused_events too_old': 0,
  });
});

test('the OpenAPI description has its content types and responses', async () => {
  const response = await (await open()).app.inject('/openapi.json');
  const { post: route } =
    response.json<{ paths: Record<string, Record<string, never>> }>().paths['/api/v1/events'] ?? {};
  expect(route).toMatchObject({
    requestBody: {
      content: {
        'application/cloudevents+json': { schema: expect.anything() },
        'application/cloudevents-batch+json': { schema: expect.anything() },
        'application/json': { schema: expect.anything() },
      },
    },
    responses: { 200: expect.anything(), 422: expect.anything(), 503: expect.anything() },
  });
});
