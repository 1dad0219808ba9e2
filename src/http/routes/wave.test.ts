import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TonnageError } from '../../base/index.ts';
import { LoginLimited } from '../../identity/index.ts';
import { fixtureDay as D, openApiFixture, type ApiFixture } from '../testing/api-fixture.ts';

async function ask(version: string, question: string, from: ApiFixture): Promise<{ status: number; body: unknown }> {
  const response = await from.app.inject(`/${version}/metrics/${question}`);
  expect(response.headers['content-type']).toMatch(/^application\/json/);
  return { status: response.statusCode, body: response.json() };
}

const events = [
  { org: 'org1.com', arch: 'amd64' },
  { org: 'org1.com', arch: 'arm64' },
  { org: 'org2.com', arch: 'arm64' },
  {},
  { arch: 'arm64' },
  { org: 'org2.com' },
];

describe('errors', () => {
  test.each([
    ['GET', 'v1alpha3/metrics/fusion', 404, 'there is no such path'],
    ['GET', 'v1alpha2/metrics/egress_bytes', 404, 'there is no such path'],
    ['GET', 'v1alpha2/metrics/%zz', 400, 'the path is not valid: expected UTF-8 in its percent-encoding'],
    ['POST', 'v1alpha2/metrics/pulls', 405, 'expected GET or HEAD, got POST'],
  ] as const)('%s %s gets %i in the common shape', async (method, path, status, message) => {
    const fixture = await openApiFixture();
    const answer = await fixture.app.inject({ method, url: `/${path}` });
    await fixture.close();
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([status, 'application/json']);
    expect(answer.json()).toEqual({ message });
  });

  test.each([
    ['redis_unavailable', 'redis://10.0.0.7:6379 does not answer'],
    ['query_deadline', 'late'],
    ['store_invalid', 'a count in Redis: expected an integer, got "x"'],
  ] as const)('%s gets 500 with an id for the log and no details', async (code, text) => {
    const authorise = () => Promise.reject(new TonnageError(code, text));
    const fixture = await openApiFixture({ authorise });
    const answer = await ask('v1alpha3', 'pulls', fixture);
    await fixture.close();
    const message: unknown = expect.stringMatching(/^the usage could not be read - Error ID: /);
    expect(answer).toEqual({ status: 500, body: { message } });
    expect(fixture.logged).toEqual(['error Wave query failed']);
  });
});

test('a login limit gets Retry-After', async () => {
  const fixture = await openApiFixture({ authorise: () => Promise.reject(new LoginLimited(7)) });
  const answer = await fixture.app.inject('/v1alpha3/metrics/pulls');
  await fixture.close();
  expect([answer.statusCode, answer.headers['retry-after']]).toEqual([429, '7']);
  expect(answer.json()).toEqual({ message: new LoginLimited(7).message });
});

describe('a principal of one organisation', () => {
  let bound: ApiFixture;
  beforeAll(async () => {
    bound = await openApiFixture({ principal: { subject: 'u1', org: 'org1.com', rights: new Set(['query']) } });
    await bound.ledger.record(events.map((dimensions) => ({ meter: 'pulls', dimensions, quantity: 1n })));
  });
  afterAll(() => bound.close());

  test('gets its own usage by default, and 403 for another organisation', async () => {
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
