import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { limits, systemClock, systemRandom } from '../base/index.ts';
import { MetricSet } from '../metric/index.ts';
import type { CheckVerdict } from './authenticator.ts';
import type { Credential } from './authorization.ts';
import { platformInstruments } from './metrics.ts';
import { createPlatformTokens, type PlatformTokensOptions } from './platform-tokens.ts';
import { collectingLog, HandClock } from './testing/fixtures.ts';
import { json, startJsonServer, type JsonServer, type Reply } from './testing/json-server.ts';

/** A real server with the Platform's `/user-info`. The clock is advanced by hand. */
let platform: JsonServer;
let clock: HandClock;
let log: ReturnType<typeof collectingLog>;
let metrics: MetricSet;
beforeEach(async () => {
  platform = await startJsonServer();
  platform.answer(() => json({ user: { id: 7, userName: 'ann', email: 'ann@Example.ORG' } }));
  clock = new HandClock();
  log = collectingLog();
  metrics = new MetricSet();
});
afterEach(() => platform.close());

/** A short deadline for a Platform that hangs, but long enough for its other responses. */
const hasty = { timeoutMs: 1_000 };

function tokens(more: Partial<PlatformTokensOptions> = {}) {
  return createPlatformTokens({
    endpoint: platform.url,
    whenDown: 'stale',
    anonymousPull: true,
    timeoutMs: 20_000,
    cacheForMs: 60_000,
    staleForMs: 3_600_000,
    isUser: (name) => name === 'static',
    clock,
    random: systemRandom,
    instruments: platformInstruments(metrics),
    log,
    ...more,
  });
}

const token = 'tok-0123456789.abc_~+/==';
const bearer = (text = token): Credential => ({ scheme: 'bearer', token: text });
const basic = (user: string, password = token): Credential => ({ scheme: 'basic', user, password });
const ann = {
  subject: 'ann@Example.ORG',
  email: 'ann@Example.ORG',
  org: 'example.org',
  rights: new Set(['pull', 'query']),
};
const isAnn = { principal: ann, validForMs: 60_000 };

function counts(name: string): readonly number[] {
  const family = metrics.gather().find((each) => each.name === name);
  return family?.type === 'counter' ? [...family.points].map((point) => Number(point.value)) : [];
}

describe('the principal of a token', () => {
  test('comes from /user-info, with the token as Bearer', async () => {
    expect(await tokens().authenticate(bearer())).toEqual(isAnn);
    expect(platform.requests.map(({ method, url, headers }) => [method, url, headers.authorization])).toEqual([
      ['GET', '/user-info', `Bearer ${token}`],
    ]);
  });

  test('is the same if the token is the password, with any user name', async () => {
    const authenticator = tokens();
    for (const user of ['', 'x', 'mallory@evil.example', 'ann']) {
      expect(await authenticator.authenticate(basic(user))).toMatchObject({ principal: ann });
    }
    expect(platform.requests).toHaveLength(1);
  });

  const pullOnly = new Set(['pull']);
  test.each<[string, unknown, object | undefined]>([
    ['no e-mail', { user: { id: 7, userName: 'bob' } }, { subject: 'bob', rights: pullOnly }],
    ['an e-mail that is none', { user: { userName: 'bob', email: 'a@b@c' } }, { subject: 'bob', rights: pullOnly }],
    [
      'an e-mail of no domain',
      { user: { userName: 'bob', email: 'bob@10.0.0.1' } },
      { subject: 'bob', rights: pullOnly },
    ],
    ['an id alone', { user: { id: 12 } }, { subject: 'platform-user-12', rights: pullOnly }],
    ['no user', {}, undefined],
    ['null for a user', { user: null }, undefined],
  ])('with %s', async (_what, body, principal) => {
    platform.answer(() => json(body));
    const expected = principal && { principal, validForMs: 60_000 };
    // A principal without organisation would see all usage, so it may only pull.
    expect(await tokens().authenticate(bearer())).toEqual(expected);
  });

  test.each([[401], [403]])('%i is a refusal, cached for a shorter time', async (status) => {
    const authenticator = tokens();
    platform.answer(() => json({}, status));
    expect(await authenticator.authenticate(bearer())).toBeUndefined();
    platform.answer(() => json({ user: { userName: 'ann', email: 'ann@Example.ORG' } }));
    expect(await authenticator.authenticate(basic('x'))).toBeUndefined();
    expect(platform.requests).toHaveLength(1);
    clock.forward(limits.platformRefusalMs);
    expect(await authenticator.authenticate(bearer())).toEqual(isAnn);
    expect(counts('tonnage_identity_platform_answers')).toEqual([1, 1, 0]);
  });

  test('concurrent requests with one token share one request to the Platform', async () => {
    const authenticator = tokens();
    const all = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => authenticator.authenticate(basic(`u${index}`))),
    );
    expect(new Set(all)).toEqual(new Set([isAnn]));
    expect(platform.requests).toHaveLength(1);
  });

  test('changes after the cached answer expires', async () => {
    const authenticator = tokens();
    await authenticator.authenticate(bearer());
    platform.answer(() => json({ user: { userName: 'ann', email: 'ann@elsewhere.example' } }));
    clock.forward(59_999);
    expect(await authenticator.authenticate(bearer())).toEqual({ principal: ann, validForMs: 1 });
    clock.forward(1);
    expect(await authenticator.authenticate(bearer())).toMatchObject({ principal: { org: 'elsewhere.example' } });
    platform.answer(() => json({}, 401));
    clock.forward(60_000);
    expect(await authenticator.authenticate(bearer())).toBeUndefined();
    // A refused token stays refused while the Platform is down.
    platform.answer(() => 'breaks');
    clock.forward(limits.platformRefusalMs);
    expect(await authenticator.authenticate(bearer())).toBe('unknown');
  });

  test('requests beyond the queue must retry', async () => {
    platform.answer(() => json({}, 401));
    const authenticator = tokens();
    const many = limits.platformRequestsMax + limits.platformRequestsWaitingMax;
    const asked = Array.from({ length: many }, async (_, index) => authenticator.authenticate(bearer(`t${index}`)));
    expect(await authenticator.authenticate(bearer('one-more'))).toBe('busy');
    expect(new Set<CheckVerdict>(await Promise.all(asked))).toEqual(new Set([undefined]));
  });
});

describe('credentials that are not sent to the Platform', () => {
  test.each<[string, Credential]>([
    ['what a user of our own mistypes', basic('static', 'hunter2')],
    ['what cannot be a token', basic('x', 'pass word')],
    ['nothing', basic('x', '')],
    ['an API token of ours', bearer(`tng_api_${'a'.repeat(59)}`)],
    ['a path token of ours', basic('x', 'tng_path_mistyped')],
  ])('%s', (_what, credential) => {
    expect(tokens().authenticate(credential)).toBeUndefined();
  });

  test('a long token is sent, even with the name of a configured user', async () => {
    const long = 'eyJ0aWQiOiAxMjM0fS4xMjM0NTY3ODkwYWJjZGVmMTIzNDU2Nzg5MA==';
    expect(await tokens().authenticate(basic('static', long))).toEqual(isAnn);
  });
});

describe('an unavailable Platform', () => {
  const failures: readonly [string, () => Reply][] = [
    ['answers 500', () => json({}, 500)],
    ['answers 404', () => json({}, 404)],
    ['answers 302', () => json({}, 302)],
    ['answers what is no JSON', () => ({ status: 200, body: '<html>maintenance</html>' })],
    ['answers a list', () => json([1])],
    ['answers a user that is none', () => json({ user: { nothing: true } })],
    ['answers too much', () => json({ user: { userName: 'x'.repeat(limits.identityAnswerBytesMax) } })],
    ['hangs', () => 'hangs'],
    ['breaks off', () => 'breaks'],
  ];

  test.each(failures)('%s: a recent answer is used', async (how, reply) => {
    const authenticator = tokens(how === 'hangs' ? hasty : {});
    await authenticator.authenticate(bearer());
    clock.forward(60_000);
    platform.answer(reply);
    expect(await authenticator.authenticate(bearer())).toEqual({ principal: ann, validForMs: limits.platformRetryMs });
    // No immediate retry, so that requests do not wait for it each time.
    expect(await authenticator.authenticate(bearer())).toEqual({ principal: ann, validForMs: limits.platformRetryMs });
    expect(platform.requests).toHaveLength(2);
    expect(counts('tonnage_identity_platform_down')).toEqual([2, 0, 0]);
    // Once it is available again, its answers are used.
    platform.answer(() => json({ user: { userName: 'ann', email: 'ann@elsewhere.example' } }));
    clock.forward(limits.platformRetryMs);
    expect(await authenticator.authenticate(bearer())).toMatchObject({ principal: { org: 'elsewhere.example' } });
  });

  test.each(failures)('%s: a token without a cached answer is anonymous', async (how, reply) => {
    platform.answer(reply);
    expect(await tokens(how === 'hangs' ? hasty : {}).authenticate(bearer())).toBe('unknown');
    expect(counts('tonnage_identity_platform_down')).toEqual([0, 1, 0]);
  });

  test('a stale answer expires', async () => {
    const authenticator = tokens();
    await authenticator.authenticate(bearer());
    platform.answer(() => 'breaks');
    clock.forward(60_000 + 3_600_000);
    expect(await authenticator.authenticate(bearer())).toBe('unknown');
  });

  test('the request fails if anonymous pulls are not allowed, or if so configured', async () => {
    platform.answer(() => json({}, 503));
    const closed = tokens({ anonymousPull: false });
    await expect(closed.authenticate(bearer())).rejects.toMatchObject({ code: 'identity_unavailable' });
    metrics = new MetricSet();
    const refusing = tokens({ whenDown: 'refuse' });
    await expect(refusing.authenticate(bearer())).rejects.toMatchObject({ code: 'identity_unavailable' });
    expect(counts('tonnage_identity_platform_down')).toEqual([0, 0, 1]);
  });

  test('stale answers are not used with `anonymous` and `refuse`', async () => {
    const whatComesOf = async (whenDown: PlatformTokensOptions['whenDown']) => {
      metrics = new MetricSet();
      const authenticator = tokens({ whenDown });
      platform.answer(() => json({ user: { userName: 'ann', email: 'ann@Example.ORG' } }));
      await authenticator.authenticate(bearer());
      clock.forward(60_000);
      platform.answer(() => 'breaks');
      return authenticator.authenticate(bearer());
    };
    expect(await whatComesOf('anonymous')).toBe('unknown');
    await expect(whatComesOf('refuse')).rejects.toMatchObject({ code: 'identity_unavailable' });
  });

  test('no request waits longer than the deadline, with any number of tokens', async () => {
    platform.answer(() => 'hangs');
    const authenticator = tokens({ ...hasty, clock: systemClock });
    const many = limits.platformRequestsMax * 4;
    const verdicts = await Promise.all(
      Array.from({ length: many }, async (_, index) => authenticator.authenticate(bearer(`tok-${index}`))),
    );
    expect(new Set(verdicts)).toEqual(new Set(['unknown']));
    expect(counts('tonnage_identity_platform_down')).toEqual([0, many, 0]);
    // Queued tokens were not sent, because no request was answered.
    const asked = platform.requests.map(({ headers }) => Number(headers.authorization?.slice('Bearer tok-'.length)));
    expect(asked.filter((index) => !(index < limits.platformRequestsMax))).toEqual([]);
  });

  test('while it does not respond, one request at a time is sent', async () => {
    platform.answer(() => 'hangs');
    const authenticator = tokens(hasty);
    await authenticator.authenticate(bearer('first'));
    const probe = authenticator.authenticate(bearer('probe'));
    expect(await authenticator.authenticate(bearer('other'))).toBe('unknown');
    expect(await probe).toBe('unknown');
    expect(platform.requests).toHaveLength(2);

    platform.answer(() => json({ user: { userName: 'ann', email: 'ann@Example.ORG' } }));
    // This token was not sent, so its request did not wait.
    expect(await authenticator.authenticate(bearer('other'))).toEqual(isAnn);
    const both = ['third', 'fourth'].map(async (text) => authenticator.authenticate(bearer(text)));
    expect(await Promise.all(both)).toEqual([isAnn, isAnn]);
  });

  test('one slow request does not count while others are answered', async () => {
    platform.answer(({ headers }) =>
      headers.authorization === 'Bearer slow' ? 'hangs' : json({ user: { userName: 'ann', email: 'ann@Example.ORG' } }),
    );
    const authenticator = tokens(hasty);
    const slow = authenticator.authenticate(bearer('slow'));
    await authenticator.authenticate(bearer('quick'));
    expect(await slow).toBe('unknown');
    const both = ['third', 'fourth'].map(async (text) => authenticator.authenticate(bearer(text)));
    expect(await Promise.all(both)).toMatchObject([{ principal: ann }, { principal: ann }]);
  });

  test('the log states once that it is unavailable and once that it is available, without a token', async () => {
    const authenticator = tokens();
    platform.answer(() => 'breaks');
    await authenticator.authenticate(bearer());
    await authenticator.authenticate(bearer('another-token-of-somebody'));
    platform.answer(() => json({}, 401));
    await authenticator.authenticate(bearer('third-token'));
    expect(log.lines.map(({ level, message }) => [level, message])).toEqual([
      ['warn', 'the Seqera Platform is unavailable, so its tokens cannot be checked'],
      ['info', 'the Seqera Platform is available again'],
    ]);
    expect(JSON.stringify(log.lines)).not.toMatch(/tok-|another-token|third-token/);
  });
});
