import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openApiFixture, type ApiFixture } from '../testing/api-fixture.ts';

let fixture: ApiFixture;
beforeAll(async () => {
  fixture = await openApiFixture({ dimensions: ['org', 'arch', 'upstream', 'repository', 'user'] });
});
afterAll(() => fixture.close());

const day = 'expected a day as YYYY-MM-DD';
const window = 'window: expected one of total, day, month';
const names =
  'by: expected names from org, arch, upstream, repository, tag, outcome, user, client, day, month, separated by commas';
const kept = 'org, arch, upstream, repository, user';
const count = 'expected a whole number from 1 to 10000';
const distinct = 'distinct: expected one of user, client';
const cursor = 'cursor: expected the value of next from the previous page';
const meter = 'meter: expected one of pulls, fusion, builds, mirrors, scans, egress_bytes';
const dimension = `dimension: expected a dimension that is kept (${kept})`;

async function refusalOf(path: string): Promise<unknown> {
  const response = await fixture.app.inject(`/api/v1/${path}`);
  expect(response.headers['content-type']).toBe('application/problem+json');
  const { status, code, detail } = response.json<{ status: number; code: string; detail: string }>();
  expect(status).toBe(response.statusCode);
  return [status, code, detail];
}

describe('a malformed query is rejected with the reason', () => {
  test.each([
    ['from=yesterday', `from: ${day}, got "yesterday"`],
    ['from=', `from: ${day}, got ""`],
    ['from=2026-2-1', `from: ${day}, got "2026-2-1"`],
    ['from=2026-02-30', `from: ${day}, got "2026-02-30"`],
    ['from=2026-02-01T00:00:00Z', `from: ${day}, got "2026-02-01T00:00:00Z"`],
    ['from=0000-01-01', `from: ${day}, got "0000-01-01"`],
    ['from=1770000000', `from: ${day}, got "1770000000"`],
    [`from=${'x'.repeat(100)}`, `from: ${day}, got "${'x'.repeat(80)}…"`],
    ['to=2026-13-01', `to: ${day}, got "2026-13-01"`],
    ['to=tomorrow', `to: ${day}, got "tomorrow"`],
    ['from=2026-02-02&to=2026-02-01', 'from: expected a day no later than to (2026-02-01), got "2026-02-02"'],
    ['window=week', `${window}, got "week"`],
    ['window=', `${window}, got ""`],
    ['window=DAY', `${window}, got "DAY"`],
    ['window=%1b[2J%0a', `${window}, got "\\u001b[2J\\n"`],
    ['by=colour', `${names}, got "colour"`],
    ['by=org,,arch', `${names}, got ""`],
    ['by=org%20,arch', `${names}, got "org "`],
    ['by=Org', `${names}, got "Org"`],
    ['by=__proto__', `${names}, got "__proto__"`],
    ['by=day,month', 'by: expected the window of window=day, got "month"'],
    ['by=month&window=day', 'by: expected the window of window=day, got "month"'],
    ['by=day&window=total', 'by: expected the window of window=total, got "day"'],
    ['by=tag', `by: expected dimensions that are kept (${kept}), got "tag"`],
    ['tag=latest', `tag: expected a dimension that is kept (${kept})`],
    ['client=', `client: expected a dimension that is kept (${kept})`],
    ['top=0', `top: ${count}, got "0"`],
    ['top=-1', `top: ${count}, got "-1"`],
    ['top=1.5', `top: ${count}, got "1.5"`],
    ['top=ten', `top: ${count}, got "ten"`],
    ['top=10001', `top: ${count}, got "10001"`],
    ['top=', `top: ${count}, got ""`],
    ['distinct=org', `${distinct}, got "org"`],
    ['distinct=', `${distinct}, got ""`],
    ['distinct=user,client', `${distinct}, got "user,client"`],
    ['distinct=client', `distinct: expected a dimension that is kept (${kept}), got "client"`],
    ['limit=0', `limit: ${count}, got "0"`],
    ['limit=10001', `limit: ${count}, got "10001"`],
    ['limit=1e3', `limit: ${count}, got "1e3"`],
    ['limit=%2010', `limit: ${count}, got " 10"`],
    ['limit=99999999999999999999', `limit: ${count}, got "99999999999999999999"`],
    ['cursor=', `${cursor}, got ""`],
    ['cursor=abc', `${cursor}, got "abc"`],
    ['cursor=b2Zmc2V0Oi0x', `${cursor}, got "b2Zmc2V0Oi0x"`],
    ['cursor=b2Zmc2V0OjE5OTk5OTk5OTk5OTk5OTk5OTk', `${cursor}, got "b2Zmc2V0OjE5OTk5OTk5OTk5OTk5OTk5OTk"`],
    ['format=xml', 'format: expected json, csv or csv-raw, got "xml"'],
    ['format=JSON', 'format: expected json, csv or csv-raw, got "JSON"'],
    ['format=', 'format: expected json, csv or csv-raw, got ""'],
    ['colour=red', '"colour": there is no such parameter'],
    ['Org=a.org', '"Org": there is no such parameter'],
    ['org[]=a.org', '"org[]": there is no such parameter'],
    ['colour=red&size=1', '"colour": there is no such parameter; "size": there is no such parameter'],
    ['org=a.org&org=b.org', 'org: expected it once, got it several times'],
    ['limit=1&limit=1', 'limit: expected it once, got it several times'],
    ['format=csv&format=json', 'format: expected it once, got it several times'],
  ])('usage of pulls: %s', async (query, detail) => {
    expect(await refusalOf(`usage/pulls?${query}`)).toEqual([400, 'bad_request', detail]);
  });

  test.each([
    ['meter=pools', `${meter}, got "pools"`],
    ['meter=', `${meter}, got ""`],
    ['limit=0', `limit: ${count}, got "0"`],
    ['limit=many', `limit: ${count}, got "many"`],
    ['from=now', `from: ${day}, got "now"`],
    ['from=2026-02-02&to=2026-02-01', 'from: expected a day no later than to (2026-02-01), got "2026-02-02"'],
    ['cursor=b2Zmc2V0OjEw', `${cursor}, got "b2Zmc2V0OjEw"`],
    ['cursor=%20', `${cursor}, got " "`],
    ['org=a.org', '"org": there is no such parameter'],
    ['prefix=a&prefix=b', 'prefix: expected it once, got it several times'],
  ])('values of org: %s', async (query, detail) => {
    expect(await refusalOf(`dimensions/org?${query}`)).toEqual([400, 'bad_request', detail]);
  });

  test('meters take no parameter', async () => {
    expect(await refusalOf('meters?x=1')).toEqual([400, 'bad_request', '"x": there is no such parameter']);
  });
});

describe('a resource that does not exist gets 404', () => {
  test.each([
    ['usage/pools', `${meter}, got "pools"`],
    ['usage/Pulls', `${meter}, got "Pulls"`],
    ['usage/constructor', `${meter}, got "constructor"`],
    ['usage/pulls%00', `${meter}, got "pulls\\u0000"`],
    ['usage/', `${meter}, got ""`],
    ['dimensions/colour', `${dimension}, got "colour"`],
    ['dimensions/tag', `${dimension}, got "tag"`],
    ['dimensions/day', `${dimension}, got "day"`],
    ['dimensions/__proto__', `${dimension}, got "__proto__"`],
    ['dimensions/', `${dimension}, got ""`],
    ['usage/pulls/day', 'there is no such path'],
    ['meters/pulls', 'there is no such path'],
  ])('%s', async (path, detail) => {
    expect(await refusalOf(path)).toEqual([404, 'not_found', detail]);
  });

  test('also for a name that is too long, which the message does not repeat', async () => {
    expect(await refusalOf(`usage/${'x'.repeat(256)}`)).toEqual([404, 'not_found', 'there is no such path']);
  });

  test('the message does not repeat a path with invalid percent-encoding', async () => {
    const detail = 'the path is not valid: expected UTF-8 in its percent-encoding';
    expect(await refusalOf('usage/%ff')).toEqual([400, 'bad_request', detail]);
  });
});
