import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fixtureDay as D, openApiFixture, type ApiFixture } from '../testing/api-fixture.ts';

/**
 * Wave's own fixture, on each of its five metrics: (u1,amd64) (u1,arm64) (u2,arm64) (anonymous,-) (anonymous,arm64)
 * (u2,-), u1 being of org1.com and u2 of org2.com; and the answers that Wave gives to it.
 */
const events = [
  { org: 'org1.com', arch: 'amd64' },
  { org: 'org1.com', arch: 'arm64' },
  { org: 'org2.com', arch: 'arm64' },
  {},
  { arch: 'arm64' },
  { org: 'org2.com' },
];
const paths = { builds: 'builds', pulls: 'pulls', fusion: 'fusion/pulls', scans: 'scans', mirrors: 'mirrors' };

let fixture: ApiFixture;
let empty: ApiFixture;
beforeAll(async () => {
  [fixture, empty] = await Promise.all([openApiFixture(), openApiFixture()]);
  await fixture.ledger.record(
    Object.keys(paths).flatMap((meter) => events.map((dimensions) => ({ meter, dimensions, quantity: 1n }))),
  );
});
afterAll(() => Promise.all([fixture.close(), empty.close()]));

const both = ['v1alpha2', 'v1alpha3'] as const;
const orgs = { 'org1.com': 2, 'org2.com': 2 };
const armOrgs = { 'org1.com': 1, 'org2.com': 1 };

async function ask(version: string, question: string, from = fixture): Promise<{ status: number; body: unknown }> {
  const response = await from.app.inject(`/${version}/metrics/${question}`);
  expect(response.headers['content-type']).toMatch(/^application\/json/);
  return { status: response.statusCode, body: response.json() };
}

describe.each(Object.entries(paths))('%s', (metric, path) => {
  test.each(both)('%s: by date, by date and organisation, by organisation, and without parameters', async (version) => {
    const answers = {
      [`?date=${D}`]: { metric, count: 6, orgs },
      [`?date=${D}&org=org1.com`]: { metric, count: 2, orgs: { 'org1.com': 2 } },
      '?org=org2.com': { metric, count: 2, orgs: { 'org2.com': 2 } },
      '': { metric, count: 4, orgs },
    };
    for (const [query, body] of Object.entries(answers)) {
      expect(await ask(version, `${path}${query}`)).toEqual({ status: 200, body });
    }
  });
});

describe('v1alpha3 with an architecture', () => {
  test.each([
    [`builds?date=${D}&arch=arm64`, { metric: 'builds', arch: 'arm64', count: 3, orgs: armOrgs }],
    [
      `builds?date=${D}&org=org1.com&arch=amd64`,
      { metric: 'builds', arch: 'amd64', count: 1, orgs: { 'org1.com': 1 } },
    ],
    ['builds?org=org1.com&arch=amd64', { metric: 'builds', arch: 'amd64', count: 1, orgs: { 'org1.com': 1 } }],
    ['builds?org=org1.com&arch=arm64', { metric: 'builds', arch: 'arm64', count: 1, orgs: { 'org1.com': 1 } }],
    ['builds?arch=arm64', { metric: 'builds', arch: 'arm64', count: 3, orgs: armOrgs }],
    ['pulls?org=org2.com&arch=arm64', { metric: 'pulls', arch: 'arm64', count: 1, orgs: { 'org2.com': 1 } }],
    [`fusion/pulls?date=${D}&arch=amd64`, { metric: 'fusion', arch: 'amd64', count: 1, orgs: { 'org1.com': 1 } }],
    ['fusion/pulls?org=org2.com&arch=amd64', { metric: 'fusion', arch: 'amd64', count: 0, orgs: { 'org2.com': 0 } }],
    [
      `fusion/pulls?date=${D}&org=org1.com&arch=arm64`,
      { metric: 'fusion', arch: 'arm64', count: 1, orgs: { 'org1.com': 1 } },
    ],
    ['scans?arch=amd64', { metric: 'scans', arch: 'amd64', count: 1, orgs: { 'org1.com': 1 } }],
    ['mirrors?org=org2.com&arch=amd64', { metric: 'mirrors', arch: 'amd64', count: 0, orgs: { 'org2.com': 0 } }],
    ['mirrors?arch=arm64', { metric: 'mirrors', arch: 'arm64', count: 3, orgs: armOrgs }],
    ['pulls?arch=aarch64', { metric: 'pulls', arch: 'arm64', count: 3, orgs: armOrgs }],
    ['pulls?arch=x86_64&org=org1.com', { metric: 'pulls', arch: 'amd64', count: 1, orgs: { 'org1.com': 1 } }],
    ['pulls?arch=arm', { metric: 'pulls', arch: 'arm64', count: 3, orgs: armOrgs }],
  ])('%s', async (question, body) => {
    expect(await ask('v1alpha3', question)).toEqual({ status: 200, body });
  });

  test('v1alpha2 ignores it', async () => {
    expect(await ask('v1alpha2', 'pulls?arch=arm64')).toEqual({
      status: 200,
      body: { metric: 'pulls', count: 4, orgs },
    });
  });
});

describe('at the edges', () => {
  test.each(both)('%s: what is not there counts 0, and only a named organisation is shown', async (version) => {
    const metric = 'pulls';
    expect((await ask(version, 'pulls?org=absent.org')).body).toEqual({ metric, count: 0, orgs: { 'absent.org': 0 } });
    expect((await ask(version, 'pulls?org=ORG1.COM')).body).toEqual({ metric, count: 0, orgs: { 'ORG1.COM': 0 } });
    expect((await ask(version, 'pulls?date=1999-01-01')).body).toEqual({ metric, count: 0 });
    expect((await ask(version, 'pulls?date=2024-99-99')).body).toEqual({ metric, count: 0 });
    expect((await ask(version, 'pulls?date=&org=')).body).toEqual({ metric, count: 4, orgs });
    expect((await ask(version, `pulls?unknown=1&date=${D}&date=x`)).body).toEqual({ metric, count: 6, orgs });
    expect((await ask(version, 'pulls', empty)).body).toEqual({ metric, count: 0 });
  });

  test('v1alpha3 of an empty store names the architecture all the same', async () => {
    expect((await ask('v1alpha3', 'pulls?arch=amd64', empty)).body).toEqual({
      metric: 'pulls',
      arch: 'amd64',
      count: 0,
    });
  });
});

describe('errors', () => {
  const date = { message: 'date format should be yyyy-MM-dd' };
  const arch = { message: 'arch should be one of [amd64, x86_64, x86-64, arm64, aarch64, arm]' };
  test.each(both)('%s: a bad parameter is 400, before credentials', async (version) => {
    expect(await ask(version, 'pulls?date=2024-03-2')).toEqual({ status: 400, body: date });
    expect(await ask(version, 'pulls?arch=64')).toEqual({ status: 400, body: arch });
    expect(await ask(version, 'pulls?arch=AMD64')).toEqual({ status: 400, body: arch });
    expect(await ask(version, 'pulls?arch=64&date=x')).toEqual({ status: 400, body: date });
    const nobody = await fixture.app.inject({ url: `/${version}/metrics/pulls?arch=64`, headers: { 'x-nobody': '1' } });
    expect(nobody.statusCode).toBe(400);
  });

  test.each(both)('%s: without credentials 401 has no body and names the realm as Wave does', async (version) => {
    const response = await fixture.app.inject({ url: `/${version}/metrics/builds`, headers: { 'x-nobody': '1' } });
    expect(response.statusCode).toBe(401);
    expect(response.body).toBe('');
    expect(response.headers['www-authenticate']).toBe('Basic realm=Wave Authentication');
  });

  test('a metric that Wave does not have is 404', async () => {
    expect((await fixture.app.inject('/v1alpha3/metrics/fusion')).statusCode).toBe(404);
  });
});

describe('a principal of one organisation', () => {
  let bound: ApiFixture;
  beforeAll(async () => {
    bound = await openApiFixture({ principal: { subject: 'u1', org: 'org1.com', rights: new Set(['query']) } });
    await bound.ledger.record(events.map((dimensions) => ({ meter: 'pulls', dimensions, quantity: 1n })));
  });
  afterAll(() => bound.close());

  test('gets its own, as if it had asked for it, and 403 for another', async () => {
    expect((await ask('v1alpha3', 'pulls', bound)).body).toEqual({
      metric: 'pulls',
      count: 2,
      orgs: { 'org1.com': 2 },
    });
    expect((await ask('v1alpha3', `pulls?date=${D}`, bound)).body).toEqual({
      metric: 'pulls',
      count: 2,
      orgs: { 'org1.com': 2 },
    });
    expect((await ask('v1alpha3', 'pulls?org=org2.com', bound)).status).toBe(403);
  });
});
