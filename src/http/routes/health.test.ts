import { afterEach, expect, test } from 'vitest';
import { rights } from '../../identity/index.ts';
import { readinessOf } from '../readiness.ts';
import { openApiFixture, type ApiFixture } from '../testing/api-fixture.ts';

let fixture: ApiFixture | undefined;
afterEach(async () => {
  await fixture?.close();
  fixture = undefined;
});

const failing = () =>
  readinessOf({
    ledger: {
      status: () => ({
        unsavedEvents: 3,
        failure: 'database or disk is full: /srv/tonnage/ledger.sqlite',
        delivery: { waiting: 2, ageMs: 5_000, bytes: 100, failure: 'connect ECONNREFUSED 10.0.0.7:6379' },
      }),
    },
    cacheFailure: () => 'EACCES: /srv/tonnage/cache/tmp',
    stopping: false,
  });
const codes = {
  ready: false,
  checks: {
    ledger: 'ledger_unavailable',
    store: 'store_unavailable',
    cache: 'cache_unwritable',
    server: 'ok',
  },
};

test('without credentials, readiness shows codes and no hosts or files', async () => {
  fixture = await openApiFixture({ readiness: failing });
  const answer = await fixture.app.inject({ url: '/readyz', headers: { 'x-no-credentials': '1' } });
  expect([answer.statusCode, answer.json()]).toEqual([503, codes]);
});

test('without the right query, readiness shows codes only', async () => {
  const principal = { subject: 'ci', rights: new Set(['ingest'] as const) };
  fixture = await openApiFixture({ readiness: failing, principal });
  expect((await fixture.app.inject('/readyz')).json()).toEqual(codes);
});

test('with the right query, readiness shows details', async () => {
  const principal = { subject: 'reader', rights: new Set(rights) };
  fixture = await openApiFixture({ readiness: failing, principal });
  const { checks } = (await fixture.app.inject('/readyz')).json<{ checks: Record<string, string> }>();
  expect(checks).toMatchObject({
    ledger: '3 events cannot be saved: database or disk is full: /srv/tonnage/ledger.sqlite',
    store: expect.stringContaining('10.0.0.7:6379'),
    cache: expect.stringContaining('EACCES'),
  });
});

test('the code of a gap in the store is public', () => {
  const delivery = {
    waiting: 1,
    ageMs: 0,
    bytes: 1,
    failure: 'the store misses batch 7',
    gap: 'the store misses batch 7',
  };
  const { ready, checks } = readinessOf({
    ledger: { status: () => ({ unsavedEvents: 0, delivery }) },
    cacheFailure: () => undefined,
    stopping: false,
  });
  expect([ready, checks]).toMatchObject([true, { ledger: 'ok', store: { code: 'ledger_gap' } }]);
});
