import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { InjectOptions } from 'fastify';
import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TonnageError } from '../base/index.ts';
import { fixtureDay, openApiFixture, type ApiFixture } from './testing/api-fixture.ts';

interface Description {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: Responses }>>>>;
}
type Responses = Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;

let dashboard: string;
let fixture: ApiFixture;
let failing: ApiFixture;
let description: Description;
const ajv = new Ajv2020({ strict: false, validateFormats: false });
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
  ajv.addSchema(description, 'description');
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

test('it has every route that the router has, and no other but those of the gateway', () => {
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
const questions: readonly (readonly [path: string, status: number, url: string, options?: InjectOptions])[] = [
  ['/api/v1/usage/{meter}', 200, '/api/v1/usage/pulls?by=org,day&top=1&distinct=user'],
  ['/api/v1/usage/{meter}', 200, '/api/v1/usage/pulls?by=org,arch,month&limit=1'],
  ['/api/v1/usage/{meter}', 200, '/api/v1/usage/pulls?format=csv&by=org'],
  ['/api/v1/usage/{meter}', 304, '/api/v1/usage/pulls', { headers: { 'if-none-match': '*' } }],
  ['/api/v1/usage/{meter}', 400, '/api/v1/usage/pulls?by=colour'],
  ['/api/v1/usage/{meter}', 401, '/api/v1/usage/pulls', { headers: { 'x-nobody': '1' } }],
  ['/api/v1/usage/{meter}', 404, '/api/v1/usage/pools'],
  ['/api/v1/meters', 200, '/api/v1/meters'],
  ['/api/v1/meters', 400, '/api/v1/meters?x=1'],
  ['/api/v1/meters', 401, '/api/v1/meters', { headers: { 'x-nobody': '1' } }],
  ['/api/v1/dimensions/{name}', 200, '/api/v1/dimensions/org?limit=1'],
  ['/api/v1/dimensions/{name}', 304, '/api/v1/dimensions/org', { headers: { 'if-none-match': '*' } }],
  ['/api/v1/dimensions/{name}', 400, '/api/v1/dimensions/org?limit=0'],
  ['/api/v1/dimensions/{name}', 401, '/api/v1/dimensions/org', { headers: { 'x-nobody': '1' } }],
  ['/api/v1/dimensions/{name}', 404, '/api/v1/dimensions/tag'],
  ['/v1alpha2/metrics/pulls', 200, '/v1alpha2/metrics/pulls'],
  ['/v1alpha3/metrics/pulls', 200, `/v1alpha3/metrics/pulls?date=${fixtureDay}&org=a.org&arch=amd64`],
  ['/v1alpha3/metrics/builds', 200, '/v1alpha3/metrics/builds'],
  ['/v1alpha3/metrics/pulls', 400, '/v1alpha3/metrics/pulls?arch=64'],
  ['/v1alpha3/metrics/pulls', 401, '/v1alpha3/metrics/pulls', { headers: { 'x-nobody': '1' } }],
  ['/api/v1/events', 200, '/api/v1/events', { method: 'POST', headers: json, payload: JSON.stringify(event) }],
  ['/api/v1/events', 422, '/api/v1/events', { method: 'POST', headers: json, payload: '{}' }],
  ['/api/v1/events', 400, '/api/v1/events', { method: 'POST', headers: json, payload: '{' }],
  ['/api/v1/events', 415, '/api/v1/events', { method: 'POST', headers: { 'content-type': 'a/b' }, payload: '{}' }],
  ['/api/v1/tokens', 200, '/api/v1/tokens'],
  ['/healthz', 200, '/healthz'],
  ['/readyz', 200, '/readyz'],
  ['/openapi.json', 200, '/openapi.json'],
  ['/', 200, '/'],
  ['/assets/{file}', 200, '/assets/page.js'],
];

describe('answers are what it says', () => {
  const cases = questions.map(([path, status, url, options = {}]) => ({ path, status, options: { url, ...options } }));
  test.each(cases)('$path $status: $options.url', async ({ path, status, options }) => {
    const response = await fixture.app.inject(options);
    expect(response.statusCode).toBe(status);
    expect(undescribed(path, response)).toBeUndefined();
  });

  test.each([
    ['/api/v1/usage/{meter}', 503, '/api/v1/usage/pulls'],
    ['/api/v1/dimensions/{name}', 503, '/api/v1/dimensions/org'],
    ['/v1alpha2/metrics/scans', 500, '/v1alpha2/metrics/scans'],
  ] as const)('%s %i: %s', async (path, status, url) => {
    const response = await failing.app.inject(url);
    expect(response.statusCode).toBe(status);
    expect(undescribed(path, response)).toBeUndefined();
  });
});

type Answer = Awaited<ReturnType<ApiFixture['app']['inject']>>;

/** What the description does not say of an answer; the status is there, with its media type, and the body fits its schema. */
function undescribed(path: string, { statusCode, headers, body, raw }: Answer): string | undefined {
  const method = raw.req.method?.toLowerCase() ?? '';
  const described = description.paths[path]?.[method]?.responses[statusCode];
  if (described === undefined) return `status ${statusCode}`;
  const type = String(headers['content-type'] ?? '').split(';')[0] ?? '';
  if (described.content?.[type] === undefined) {
    // Files have no schema here, and what is empty has none.
    return body === '' || !path.startsWith('/api/') ? undefined : `media type ${type}`;
  }
  const place = ['paths', path, method, 'responses', String(statusCode), 'content', type, 'schema'];
  const pointer = place.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
  const value: unknown = type.endsWith('json') ? JSON.parse(body) : body;
  return ajv.validate({ $ref: `description#/${pointer}` }, value) ? undefined : ajv.errorsText();
}

/** `METHOD path` of each route, read from the tree that the router draws of itself. */
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
      const named = methods.split(', ').filter((method) => method !== '' && method !== 'HEAD');
      return named.map((method) => `${method} ${path}`);
    });
}
