import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openApiFixture, type ApiFixture } from '../testing/api-fixture.ts';

let fixture: ApiFixture;
beforeAll(async () => {
  fixture = await openApiFixture({
    dimensions: ['org', 'arch', 'upstream', 'repository', 'user', 'client'],
  });
  const pull = (org: string, repository: string, user: string, quantity: bigint) => ({
    meter: 'pulls',
    dimensions: { org, repository, user, client: '192.0.2.1' },
    quantity,
  });
  await fixture.ledger.record([
    pull('a.org', 'one', 'alice', 9n),
    pull('a.org', 'two', 'bob', 4n),
    pull('b.org', 'three', 'carol', 2n),
    pull('b.org', 'three', 'dave', 1n),
    pull('c.org', 'three', 'dave', 2n ** 60n),
    { meter: 'pulls', dimensions: {}, quantity: 2n },
  ]);
});
afterAll(() => fixture.close());

const get = (query: string, headers: Record<string, string> = {}) =>
  fixture.app.inject({ url: `/api/v1/usage/${query}`, headers });

describe('top', () => {
  test('keeps the largest rows and adds one for the others; the total includes all', async () => {
    expect((await get('pulls?by=org&top=2')).body).toContain(
      '"rows":[{"org":"c.org","value":1152921504606846976},{"org":"a.org","value":13},' +
        '{"org":null,"value":5,"other":true}],"total":1152921504606846994}',
    );
  });

  test('is a column in CSV, set in the row that sums the others', async () => {
    expect((await get('pulls?by=org,repository&top=1&format=csv')).body).toBe(
      'org,repository,value,other\r\nc.org,three,1152921504606846976,\r\n,,18,true\r\n',
    );
  });

  test('works across pages', async () => {
    const pages: unknown[] = [];
    for (let cursor = ''; ;) {
      const page = await get(`pulls?by=repository&top=2&limit=1${cursor}`);
      const { rows, next } = page.json<{ rows: unknown[]; next?: string }>();
      pages.push(...rows);
      if (next === undefined) break;
      cursor = `&cursor=${next}`;
    }
    expect(pages).toEqual([
      { repository: 'three', value: Number(2n ** 60n + 3n) },
      { repository: 'one', value: 9 },
      { repository: null, value: 6, other: true },
    ]);
  });

  test('has no row for the others if all rows fit', async () => {
    const { rows } = (await get('pulls?by=org&top=4')).json<{ rows: unknown[] }>();
    expect(rows).toHaveLength(4);
    expect(JSON.stringify(rows)).not.toContain('other');
  });
});

describe('distinct', () => {
  test('counts the distinct users of each row without showing their names', async () => {
    const response = await get('pulls?by=repository&distinct=user');
    expect(response.body).toContain(
      '"rows":[{"repository":"three","value":1152921504606846979,"distinct":2},' +
        '{"repository":"one","value":9,"distinct":1},{"repository":"two","value":4,"distinct":1},' +
        '{"repository":null,"value":2,"distinct":0}]',
    );
    expect(response.body).not.toMatch(/alice|bob|carol|dave/);
  });

  test('counts them with a filter, in total, and by day', async () => {
    expect((await get('pulls?distinct=user')).json()).toMatchObject({ rows: [{ distinct: 4 }] });
    expect((await get('pulls?distinct=client&by=day')).json()).toMatchObject({ rows: [{ distinct: 1 }] });
    expect((await get('pulls?distinct=user&org=a.org')).json()).toMatchObject({ rows: [{ value: 13, distinct: 2 }] });
    expect((await get('pulls?distinct=user&user=dave')).json()).toMatchObject({ rows: [{ distinct: 1 }] });
  });

  test('is a column in CSV, and counts a user in several of the other rows once', async () => {
    expect((await get('pulls?by=org&distinct=user&top=1&format=csv')).body).toBe(
      'org,value,distinct,other\r\nc.org,1152921504606846976,1,\r\n,18,4,true\r\n',
    );
  });
});

describe('the entity tag', () => {
  test.each(['pulls?by=org', 'pulls?by=org&format=csv'])('%s: 304 while the response stays the same', async (query) => {
    const first = await get(query);
    const tag = String(first.headers['etag']);
    expect(tag).toMatch(/^"[\w-]{43}"$/);
    expect(first.headers).toMatchObject({ 'cache-control': 'private, no-cache', vary: 'accept, authorization' });
    for (const named of [tag, `W/${tag}`, `"x", ${tag}`, '*']) {
      const again = await get(query, { 'if-none-match': named });
      expect([again.statusCode, again.body]).toEqual([304, '']);
      expect(again.headers).toMatchObject({
        etag: tag,
        'cache-control': 'private, no-cache',
        vary: 'accept, authorization',
      });
      expect(again.headers).not.toHaveProperty('content-length');
    }
    for (const other of ['"x"', '', tag.replaceAll('"', '')]) {
      expect((await get(query, { 'if-none-match': other })).statusCode).toBe(200);
    }
  });

  test('differs for another response, and after another pull', async () => {
    const tagOf = async (query: string) => (await get(query)).headers['etag'];
    const [json, csv] = [await tagOf('fusion'), await tagOf('fusion?format=csv')];
    expect(json).not.toBe(csv);
    await fixture.ledger.record([{ meter: 'fusion', dimensions: {}, quantity: 1n }]);
    const [later, laterCsv] = [await tagOf('fusion'), await tagOf('fusion?format=csv')];
    expect(new Set([json, csv, later, laterCsv])).toHaveLength(4);
  });

  test('is missing for an error, and the same for HEAD as for GET', async () => {
    expect((await get('pools')).headers).not.toHaveProperty('etag');
    const head = await fixture.app.inject({ method: 'HEAD', url: '/api/v1/usage/pulls?by=org' });
    expect([head.statusCode, head.body]).toEqual([200, '']);
    expect(head.headers['etag']).toBe((await get('pulls?by=org')).headers['etag']);
  });
});
