import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Principal } from '../../identity/index.ts';
import { unboundAdmin, fixtureTime, openApiFixture, type ApiFixture } from '../testing/api-fixture.ts';

let fixture: ApiFixture;
beforeEach(async () => {
  fixture = await openApiFixture();
});
afterEach(() => fixture.close());

async function ask(method: 'GET' | 'POST' | 'DELETE', path = '', body?: unknown, headers: Record<string, string> = {}) {
  const url = `/api/v1/tokens${path}`;
  const payload = body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) };
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const answer = await fixture.app.inject({ method, url, headers: { ...type, ...headers }, ...payload });
  return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json<Record<string, unknown>>() };
}

test('a token is created, listed without its secret, and revoked', async () => {
  const expiresAt = '2027-01-01T00:00:00+01:00';
  const made = await ask('POST', '', { email: 'ci@A.org', scope: ['lab/a'], rights: ['query', 'pull'], expiresAt });
  const { token, ...facts } = made.body ?? {};
  expect(made).toMatchObject({ status: 201, body: { kind: 'api', email: 'ci@A.org', org: 'a.org', expired: false } });
  expect(facts).toMatchObject({
    scope: ['lab/a'],
    rights: ['pull', 'query'],
    createdAt: new Date(fixtureTime).toISOString(),
    expiresAt: '2026-12-31T23:00:00.000Z',
  });
  expect(token).toMatch(/^tng_api_/);
  expect((await ask('GET')).body).toEqual({ tokens: [facts] });
  expect(await ask('DELETE', `/${String(facts['id'])}`)).toEqual({ status: 204, body: undefined });
  expect((await ask('GET')).body).toEqual({ tokens: [] });
  expect(fixture.logged).toEqual(['info token created', 'info token revoked']);
});

test('a path token is for pulling', async () => {
  expect(await ask('POST', '', { kind: 'path' })).toMatchObject({
    status: 201,
    body: { kind: 'path', rights: ['pull'] },
  });
});

test('a token with a Debusine scope has the right query, and the list shows its scope', async () => {
  const { status, body: { token: _, ...facts } = {} } = await ask('POST', '', { debusineScope: '日本 ☃ é{x="y",}' });
  expect([status, facts['rights'], facts['debusineScope']]).toEqual([201, ['query'], '日本 ☃ é{x="y",}']);
  expect((await ask('GET')).body).toEqual({ tokens: [facts] });
});

describe('the routes reject', () => {
  test.each<[string, unknown, string]>([
    ['no body', undefined, 'body: expected an object, got something else'],
    ['a list', [], 'body: expected an object, got something else'],
    ['an unknown member', { colour: 'red' }, '"colour": there is no such member'],
    ['an unknown kind', { kind: 'magic' }, 'kind: expected api or path, got something else'],
    ['a number for a string', { org: 5 }, 'org: expected a string, got something else'],
    ['a string for a list', { scope: 'lab/a' }, 'scope: expected a list, got something else'],
    ['a number in a list', { scope: ['lab/a', 5] }, 'scope.1: expected a string, got something else'],
    ['an unknown right', { rights: ['push'] }, 'rights: expected some of pull, query, ingest, admin, got "push"'],
    [
      'a time without a zone',
      { expiresAt: '2027-01-01T00:00:00' },
      'expiresAt: expected an RFC 3339 time with its offset',
    ],
    ['a time in the past', { expiresAt: '2026-11-21T12:00:00Z' }, 'expiresAt: expected a time in the future'],
    ['a scope of everything', { scope: ['*'] }, 'scope: expected repositories'],
    ['a Debusine scope with a scope', { debusineScope: 'a', scope: ['lab/a'] }, 'debusineScope: expected an API token'],
    ['a list of Debusine scopes', { debusineScope: ['a'] }, 'debusineScope: expected a string, got something else'],
    ['a Platform token without a configured Platform', { kind: 'path', platformToken: 'x' }, 'platformToken: expected'],
  ])('%s', async (_, body, detail) => {
    const answer = await ask('POST', '', body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'bad_request' } });
    expect(answer.body?.['detail']).toContain(detail);
    expect((await ask('GET')).body).toEqual({ tokens: [] });
  });

  test('text that a page of another site could send without a preflight', async () => {
    const form = 'application/x-www-form-urlencoded';
    for (const type of ['text/plain', form, 'multipart/form-data; boundary=a', 'application/json, application/json']) {
      expect(await ask('POST', '', '{}', { 'content-type': type })).toMatchObject({
        status: 415,
        body: { detail: 'Content-Type: expected application/json, got another type' },
      });
    }
  });

  test('an id that no token has', async () => {
    expect(await ask('DELETE', '/nothing')).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  test.each(['GET', 'POST', 'DELETE'] as const)('%s without the right admin', async (method) => {
    const path = method === 'DELETE' ? '/any' : '';
    const body = method === 'POST' ? {} : undefined;
    expect(await ask(method, path, body, { 'x-no-credentials': '1' })).toMatchObject({ status: 401 });
    await fixture.close();
    const principal: Principal = { ...unboundAdmin, rights: new Set(['pull', 'query', 'ingest']) };
    fixture = await openApiFixture({ principal });
    expect(await ask(method, path, body)).toMatchObject({ status: 403, body: { code: 'forbidden' } });
  });
});
