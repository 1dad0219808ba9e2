import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { TonnageError } from '../../base/index.ts';
import type { Principal, Right } from '../../identity/index.ts';
import { MetricSet } from '../../metric/index.ts';
import { fixtureDay, openApiFixture, type ApiFixture } from '../testing/api-fixture.ts';

let fixture: ApiFixture | undefined;
afterEach(async () => {
  await fixture?.close();
  fixture = undefined;
});

async function open(overrides: Parameters<typeof openApiFixture>[0] = {}): Promise<ApiFixture> {
  fixture = await openApiFixture(overrides);
  return fixture;
}

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

const distributionType = { 'content-type': 'application/vnd.docker.distribution.events.v2+json' };

async function post(
  path: string,
  payload: unknown,
  headers: Record<string, string> = distributionType,
): Promise<Answer> {
  const response = await (fixture ?? (await open())).app.inject({
    method: 'POST',
    url: `/api/v1/events/${path}`,
    headers,
    payload: Buffer.isBuffer(payload) ? payload : JSON.stringify(payload),
  });
  return { status: response.statusCode, body: response.json<Record<string, unknown>>() };
}

async function rows(question: string): Promise<unknown> {
  const response = await fixture?.app.inject(`/api/v1/usage/${question}`);
  return response?.json<{ rows: unknown }>().rows;
}

const manifest = 'application/vnd.docker.distribution.manifest.v2+json';
const pull = (id: string, mediaType = manifest, method = 'GET', repository = 'team/app') => ({
  id,
  timestamp: '2026-11-21T11:59:00Z',
  action: 'pull',
  target: { mediaType, repository, digest: `sha256:${'a'.repeat(64)}` },
  request: { addr: '192.0.2.1:1', host: 'registry.example.org', method },
  actor: {},
  source: { addr: 'r:5000', instanceID: 'i-1' },
});

const counts = (accepted: number, duplicate: number, refused: number, ignored: number) => ({
  accepted,
  duplicate,
  voided: 0,
  refused,
  ignored,
});

function principal(org: string | undefined, ...rights: Right[]): Principal {
  return { subject: 'notifier', ...(org !== undefined && { org }), rights: new Set(rights) };
}

describe('notifications of Distribution', () => {
  test('count once each, however often they are sent, and the response counts the ignored ones', async () => {
    const events = [pull('1'), pull('2', 'application/octet-stream'), pull('3', manifest, 'HEAD'), pull('4')];
    expect(await post('distribution', { events })).toEqual({
      status: 200,
      body: {
        ...counts(2, 0, 0, 2),
        results: [
          { index: 0, source: 'i-1', id: '1', status: 'accepted' },
          { index: 3, source: 'i-1', id: '4', status: 'accepted' },
        ],
      },
    });
    expect((await post('distribution?results=all', { events })).body).toMatchObject({
      ...counts(0, 2, 0, 2),
      results: [{ status: 'duplicate' }, { index: 1, status: 'ignored', code: 'blob' }, { code: 'head' }, {}],
    });
    expect(await rows('pulls?by=upstream,repository,arch,day')).toEqual([
      { upstream: 'registry.example.org', repository: 'team/app', arch: null, from: fixtureDay, value: 2 },
    ]);
  });

  test('get 200 even if all are refused, because Distribution would retry for ever', async () => {
    expect(await post('distribution', { events: [pull('1', manifest, 'GET', 'Not/Valid'), 7] })).toMatchObject({
      status: 200,
      body: {
        ...counts(0, 0, 2, 0),
        results: [
          { index: 0, source: 'i-1', id: '1', status: 'refused', code: 'invalid_dimension' },
          { index: 1, status: 'refused', code: 'invalid_event' },
        ],
      },
    });
    expect(fixture?.logged).toContain('info 2 events were refused');
  });

  test('are counted in metrics by outcome', async () => {
    const metrics = new MetricSet();
    await open({ metrics });
    await post('distribution', { events: [pull('1'), pull('2', 'application/octet-stream')] });
    const family = metrics.gather().find(({ name }) => name === 'tonnage_ingest_ignored_events');
    const counted = [...(family?.points ?? [])].filter((point) => 'value' in point && point.value === 1);
    expect(counted.map(({ labels }) => labels.values)).toEqual([['distribution', 'blob']]);
  });

  test('that cannot be committed are retried', async () => {
    const ledger = {
      ingest: () => Promise.reject(new TonnageError('ledger_unavailable', 'the ledger cannot commit right now')),
    };
    const base = await open();
    const failing = await openApiFixture({ ledger: Object.assign(Object.create(base.ledger), ledger) });
    const answer = await failing.app.inject({
      method: 'POST',
      url: '/api/v1/events/distribution',
      headers: distributionType,
      payload: JSON.stringify({ events: [pull('1')] }),
    });
    await failing.close();
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '5']);
  });

  test('may be compressed', async () => {
    const body = gzipSync(JSON.stringify({ events: [pull('1')] }));
    expect(await post('distribution', body, { ...distributionType, 'content-encoding': 'gzip' })).toMatchObject({
      body: { accepted: 1 },
    });
  });
});

test('webhooks of Harbor and events of zot have their own routes', async () => {
  const harbor = {
    type: 'PULL_ARTIFACT',
    occur_at: Date.parse('2026-11-21T11:00:00Z') / 1_000,
    operator: 'admin',
    event_data: {
      resources: [{ digest: 'sha256:1', tag: 'v1', resource_url: 'h.example.org/library/a:v1' }],
      repository: { repo_full_name: 'library/a' },
    },
  };
  const json = { 'content-type': 'application/json' };
  expect((await post('harbor', harbor, json)).body).toMatchObject(counts(1, 0, 0, 0));
  expect((await post('harbor', harbor, json)).body).toMatchObject(counts(0, 1, 0, 0));
  const attributes = { 'ce-specversion': '1.0', 'ce-source': 'zotregistry.dev', 'ce-id': '1', ...json };
  const scanned = { ...attributes, 'ce-type': 'zotregistry.image.scanned' };
  expect((await post('zot', { name: 'team/a' }, scanned)).body).toMatchObject(counts(1, 0, 0, 0));
  const updated = { ...attributes, 'ce-type': 'zotregistry.image.updated' };
  expect((await post('zot', { name: 'team/a' }, updated)).body).toMatchObject(counts(0, 0, 0, 1));
  expect(await rows('scans?by=repository')).toEqual([{ repository: 'team/a', value: 1 }]);
});

test('events sent with bound credentials belong to that organisation', async () => {
  await open({ principal: principal('bound.example', 'ingest', 'query') });
  await post('distribution', { events: [pull('1')] });
  expect(await rows('pulls?by=org')).toEqual([{ org: 'bound.example', value: 1 }]);
});

test.each(['distribution', 'harbor', 'zot'])('%s needs credentials with the right to ingest', async (name) => {
  await open({ principal: principal(undefined, 'query') });
  expect(await post(name, {})).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  expect(await post(name, {}, { 'x-no-credentials': '1' })).toMatchObject({
    status: 401,
    body: { code: 'unauthorized' },
  });
});

test.each([
  ['distribution', 'text/plain', 415],
  ['distribution', 'application/json', 400],
  ['harbor', 'application/cloudevents-batch+json', 400],
  ['zot', 'application/vnd.docker.distribution.events.v2+json', 415],
])('%s refuses %s', async (name, type, status) => {
  expect(await post(name, {}, { 'content-type': type })).toMatchObject({ status });
});
