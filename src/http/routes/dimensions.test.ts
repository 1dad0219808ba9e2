import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openApiFixture, type ApiFixture } from '../testing/api-fixture.ts';

const counts = [
  { meter: 'pulls', dimensions: { org: 'b.org', arch: 'amd64', repository: 'zeta' }, quantity: 1n },
  { meter: 'pulls', dimensions: { org: 'a.org', arch: 'amd64', repository: 'alpha' }, quantity: 7n },
  { meter: 'pulls', dimensions: { org: 'a.org', arch: 'arm64', repository: 'älter' }, quantity: 3n },
  { meter: 'builds', dimensions: { org: 'c.org', repository: 'alphabet' }, quantity: 1n },
  { meter: 'builds', dimensions: {}, quantity: 1n },
];

let fixture: ApiFixture;
let bound: ApiFixture;
beforeAll(async () => {
  const principal = { subject: 'u', org: 'a.org', rights: new Set(['query'] as const) };
  [fixture, bound] = await Promise.all([openApiFixture(), openApiFixture({ principal })]);
  await Promise.all([fixture.ledger.record(counts), bound.ledger.record(counts)]);
});
afterAll(() => Promise.all([fixture.close(), bound.close()]));

const ask = async (query: string, from = fixture): Promise<unknown> =>
  (await from.app.inject(`/api/v1/dimensions/${query}`)).json<unknown>();

describe('GET /api/v1/dimensions/{name}', () => {
  test.each([
    ['org', ['a.org', 'b.org', 'c.org']],
    ['org?meter=pulls', ['a.org', 'b.org']],
    ['arch', ['amd64', 'arm64']],
    ['repository', ['alpha', 'alphabet', 'zeta', 'älter']],
    ['repository?prefix=alph', ['alpha', 'alphabet']],
    ['repository?prefix=alph&meter=pulls', ['alpha']],
    ['upstream', []],
    ['repository?from=2026-11-22&to=2026-12-01', []],
    ['repository?from=2026-11-21&to=2026-11-22&meter=builds', ['alphabet']],
  ])('%s', async (query, values) => {
    expect(await ask(query)).toEqual({ dimension: query.split('?')[0], values });
  });

  test('pages contain each value once, in order', async () => {
    const pages: unknown[] = [];
    for (let cursor = ''; ;) {
      const page = await fixture.app.inject(`/api/v1/dimensions/repository?limit=1${cursor}`);
      const { values, next } = page.json<{ values: unknown[]; next?: string }>();
      pages.push(values);
      if (next === undefined) break;
      cursor = `&cursor=${next}`;
    }
    expect(pages).toEqual([['alpha'], ['alphabet'], ['zeta'], ['älter']]);
  });

  test('a cursor is valid only for the same query, with any limit', async () => {
    const { next } = (await fixture.app.inject('/api/v1/dimensions/repository?limit=1')).json<{ next: string }>();
    expect(await ask(`repository?limit=2&cursor=${next}`)).toMatchObject({ values: ['alphabet', 'zeta'] });
    const statusOf = async (query: string, of = fixture) =>
      (await of.app.inject(`/api/v1/dimensions/${query}cursor=${next}`)).statusCode;
    expect(await statusOf('org?')).toBe(400);
    expect(await statusOf('repository?meter=pulls&')).toBe(400);
    expect(await statusOf('repository?prefix=a&')).toBe(400);
    expect(await statusOf('repository?', bound)).toBe(400);
  });

  test('an organisation sees only its own values', async () => {
    expect(await ask('org', bound)).toEqual({ dimension: 'org', values: ['a.org'] });
    expect(await ask('repository', bound)).toEqual({ dimension: 'repository', values: ['alpha', 'älter'] });
    expect(await ask('org?prefix=b', bound)).toEqual({ dimension: 'org', values: [] });
    expect(await ask('arch?meter=builds', bound)).toEqual({ dimension: 'arch', values: [] });
  });

  test('has an entity tag', async () => {
    const first = await fixture.app.inject('/api/v1/dimensions/org');
    const headers = { 'if-none-match': String(first.headers['etag']) };
    expect((await fixture.app.inject({ url: '/api/v1/dimensions/org', headers })).statusCode).toBe(304);
  });

  test('needs the right query', async () => {
    const response = await fixture.app.inject({ url: '/api/v1/dimensions/org', headers: { 'x-no-credentials': '1' } });
    expect([response.statusCode, response.json()]).toEqual([401, expect.objectContaining({ code: 'unauthorized' })]);
    const puller = await openApiFixture({ principal: { subject: 'p', rights: new Set(['pull']) } });
    const refused = await puller.app.inject('/api/v1/dimensions/org');
    await puller.close();
    expect([refused.statusCode, refused.json()]).toEqual([403, expect.objectContaining({ code: 'forbidden' })]);
  });
});
