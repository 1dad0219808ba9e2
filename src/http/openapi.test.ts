import { Validator } from '@seriousme/openapi-schema-validator';
import type { InjectOptions } from 'fastify';
import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TonnageError } from '../base/index.ts';
import { fixtureDay, openApiFixture, type ApiFixture } from './testing/api-fixture.ts';
import { DescribedAnswers, injectedAnswer, type Description } from './testing/described.ts';

let dashboard: string;
let fixture: ApiFixture;
let failing: ApiFixture;
let description: Description;
beforeAll(async () => {
  dashboard = mkdtempSync(join(tmpdir(), 'tonnage-page-'));
  mkdirSync(join(dashboard, 'assets'));
  writeFileSync(join(dashboard, 'index.html'), '<!doctype html>');
  writeFileSync(join(dashboard, 'assets', 'page.js'), '');
  fixture = await openApiFixture({ dashboard, dimensions: ['org', 'arch', 'upstream', 'repository', 'user'] });
  failing = await openApiFixture({ authorise: () => Promise.reject(new TonnageError('query_deadline', 'late')) });
  const pull = { org: 'a.org', arch: 'amd64', repository: 'library/alpine', user: 'alice' };
  await fixture.ledger.record([
    { meter: 'pulls', dimensions: pull, quantity: 2n ** 60n },
    { meter: 'pulls', dimensions: { ...pull, org: 'b.org', user: 'bob' }, quantity: 3n },
    { meter: 'pulls', dimensions: {}, quantity: 1n },
  ]);
  description = (await fixture.app.inject('/openapi.json')).json<Description>();
});
afterAll(async () => {
  await fixture.close();
  await failing.close();
  rmSync(dashboard, { recursive: true });
});

test('the description is valid OpenAPI 3.1', async () => {
  const validator = new Validator();
  expect(await validator.validate({ ...description })).toEqual({ valid: true });
  expect([validator.version, description.openapi]).toEqual(['3.1', '3.1.0']);
});

test("it has every route of the router and the gateway's routes, and no others", () => {
  const described = Object.entries(description.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const ofGateway = described.filter((route) => route.startsWith('GET /v2/'));
  expect(ofGateway).toContain('GET /v2/{name}/manifests/{reference}');
  const others = described.filter((route) => !ofGateway.includes(route));
  expect(others.toSorted()).toEqual(routesOf(fixture).toSorted());
});

const json = { 'content-type': 'application/cloudevents+json' };
const event = { specversion: '1.0', type: 'tonnage.build', source: 's', id: '1', data: { repository: 'x' } };
const questions: readonly (readonly [status: number, url: string, options?: InjectOptions])[] = [
  [200, '/api/v1/usage/pulls?by=org,day&top=1&distinct=user'],
  [200, '/api/v1/usage/pulls?by=org,arch,month&limit=1'],
  [200, '/api/v1/usage/pulls?format=csv&by=org'],
  [304, '/api/v1/usage/pulls', { headers: { 'if-none-match': '*' } }],
  [400, '/api/v1/usage/pulls?by=colour'],
  [401, '/api/v1/usage/pulls', { headers: { 'x-no-credentials': '1' } }],
  [404, '/api/v1/usage/pools'],
  [200, '/api/v1/meters'],
  [400, '/api/v1/meters?x=1'],
  [401, '/api/v1/meters', { headers: { 'x-no-credentials': '1' } }],
  [200, '/api/v1/sources'],
  [400, '/api/v1/sources?x=1'],
  [401, '/api/v1/sources', { headers: { 'x-no-credentials': '1' } }],
  [200, '/api/v1/dimensions/org?limit=1'],
  [304, '/api/v1/dimensions/org', { headers: { 'if-none-match': '*' } }],
  [400, '/api/v1/dimensions/org?limit=0'],
  [401, '/api/v1/dimensions/org', { headers: { 'x-no-credentials': '1' } }],
  [404, '/api/v1/dimensions/tag'],
  [200, '/v1alpha2/metrics/pulls'],
  [200, `/v1alpha3/metrics/pulls?date=${fixtureDay}&org=a.org&arch=amd64`],
  [200, '/v1alpha3/metrics/builds'],
  [400, '/v1alpha3/metrics/pulls?arch=64'],
  [401, '/v1alpha3/metrics/pulls', { headers: { 'x-no-credentials': '1' } }],
  [200, '/api/v1/events', { method: 'POST', headers: json, payload: JSON.stringify(event) }],
  [422, '/api/v1/events', { method: 'POST', headers: json, payload: '{}' }],
  [400, '/api/v1/events', { method: 'POST', headers: json, payload: '{' }],
  [415, '/api/v1/events', { method: 'POST', headers: { 'content-type': 'a/b' }, payload: '{}' }],
  [200, '/api/v1/tokens'],
  [200, '/healthz'],
  [200, '/readyz'],
  [200, '/openapi.json'],
  [200, '/'],
  [200, '/assets/page.js'],
  [404, '/assets/other.js'],
  [404, '/assets/..%2findex.html'],
  [404, '/assets/..%2f..%2fetc%2fpasswd'],
  [404, '/assets/%00'],
];

describe('responses match it', () => {
  test('and a mismatch is detected', async () => {
    const path = '/api/v1/meters';
    const answer = await fixture.app.inject(path);
    const missing = (responses: object): string | undefined =>
      new DescribedAnswers({ openapi: '3.1.0', paths: { [path]: { get: { responses: { ...responses } } } } }).missing(
        injectedAnswer(answer),
      );
    const json = (schema: object) => ({ 200: { content: { 'application/json': { schema } } } });
    expect(missing(json({ type: 'object' }))).toBeUndefined();
    expect(missing({ 400: {} })).toBe('get /api/v1/meters: 200');
    expect(missing({ 200: {} })).toBe('get /api/v1/meters: 200: application/json');
    expect(missing(json({ type: 'array' }))).toMatch(/^get \/api\/v1\/meters: 200: .*must be array$/);
  });

  const cases = questions.map(([status, url, options = {}]) => ({ status, options: { url, ...options } }));
  test.each(cases)('$status: $options.url', async ({ status, options }) => {
    const response = await fixture.app.inject(options);
    expect(response.statusCode).toBe(status);
    expect(new DescribedAnswers(description).missing(injectedAnswer(response))).toBeUndefined();
  });

  const methods: Readonly<Record<string, 'GET' | 'POST' | 'DELETE'>> = { get: 'GET', post: 'POST', delete: 'DELETE' };
  const open = ['/', '/assets/{file}', '/healthz', '/readyz', '/openapi.json'];
  test.each(['unauthorized', 'forbidden', 'login_limited', 'identity_unavailable'] as const)(
    'for every route with the error %s',
    async (code) => {
      const closed = await openApiFixture({ authorise: () => Promise.reject(new TonnageError(code, 'not you')) });
      const described = new DescribedAnswers(description);
      const missing: (string | undefined)[] = [];
      for (const [path, operations] of Object.entries(description.paths)) {
        if (open.includes(path) || path.startsWith('/v2/')) continue;
        for (const method of Object.keys(operations)) {
          const url = path.replaceAll(/\{\w+\}/g, 'x');
          const body = method === 'post' ? { headers: { 'content-type': 'application/json' }, payload: '{}' } : {};
          const answer = await closed.app.inject({ method: methods[method] ?? 'TRACE', url, ...body });
          expect(answer.statusCode).toBeGreaterThanOrEqual(401);
          missing.push(described.missing(injectedAnswer(answer)));
        }
      }
      expect(missing.length).toBeGreaterThan(10);
      expect(missing.filter((each) => each !== undefined)).toEqual([]);
      await closed.close();
    },
  );

  test.each([
    [503, '/api/v1/usage/pulls'],
    [503, '/api/v1/dimensions/org'],
    [500, '/v1alpha2/metrics/scans'],
  ] as const)('%i: %s', async (status, url) => {
    const response = await failing.app.inject(url);
    expect(response.statusCode).toBe(status);
    expect(new DescribedAnswers(description).missing(injectedAnswer(response))).toBeUndefined();
  });
});

/** `METHOD path` of each route, parsed from the router's printed tree. */
function routesOf({ app }: ApiFixture): readonly string[] {
  const parts: string[] = [];
  return app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      const [, indent = '', part = '', methods = ''] = /^([│ ]*)[├└]── (\S+)(?: \((.*)\))?$/u.exec(line) ?? [];
      if (part === '') return [];
      parts.splice(indent.length / 4, parts.length, part);
      const path = parts
        .join('')
        .replace(/^\/\//, '/')
        .replaceAll(/:(\w+)/g, '{$1}');
      const named = methods.split(', ').filter((method) => !['', 'HEAD', 'OPTIONS'].includes(method));
      return named.map((method) => `${method} ${path}`);
    });
}
