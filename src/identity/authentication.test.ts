import { beforeEach, describe, expect, test } from 'vitest';
import { limits, systemRandom, TonnageError } from '../base/index.ts';
import { MetricSet } from '../metric/index.ts';
import type { Authenticator, Verdict } from './authenticator.ts';
import { Authentication, type AuthenticationOptions, type Outcome, type AuthRequest } from './authentication.ts';
import { rights, type Principal } from './principal.ts';
import { PullTokens } from './pull-tokens.ts';
import { createStaticUsers } from './static-users.ts';
import { basic, cheapHash, collectingLog, HandClock } from './testing/fixtures.ts';

const passwordHash = cheapHash('secret');
const users = createStaticUsers({
  users: [{ name: 'alice', passwordHash, email: 'alice@example.org', rights: ['pull', 'query'] }],
  log: collectingLog(),
  random: systemRandom,
});

let clock: HandClock;
let metrics: MetricSet;
beforeEach(() => {
  clock = new HandClock();
  metrics = new MetricSet();
});

function auth(options: Partial<AuthenticationOptions> = {}): Authentication {
  return new Authentication({
    authenticators: [users],
    anonymousPull: true,
    clock,
    random: systemRandom,
    metrics,
    ...options,
  });
}

const request = (authorization?: string, more: Partial<AuthRequest> = {}): AuthRequest => ({
  authorization,
  remoteAddress: '192.0.2.1',
  host: 'pull.example.org',
  listener: 'open',
  ...more,
});

/** A short text for an outcome. */
function summary(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'principal':
    case 'anonymous':
      return `${outcome.principal.subject}: ${[...outcome.principal.rights].join(' ')}`;
    case 'unauthorized':
      return outcome.reason;
    case 'misdirected':
      return outcome.kind;
    case 'limited':
      return `wait ${outcome.retryAfterSeconds}`;
  }
}

/** An authenticator that settles on command and counts its calls. */
function slowAuthenticator(): {
  authenticator: Authenticator;
  asked: () => number;
  answer: (verdict: Verdict | Error) => void;
} {
  const waiting: PromiseWithResolvers<Verdict>[] = [];
  let asked = 0;
  return {
    asked: () => asked,
    answer: (verdict) => {
      for (const each of waiting.splice(0)) {
        if (verdict instanceof Error) each.reject(verdict);
        else each.resolve(verdict);
      }
    },
    authenticator: {
      kind: 'check',
      authenticate: () => {
        asked++;
        const answer = Promise.withResolvers<Verdict>();
        waiting.push(answer);
        return answer.promise;
      },
    },
  };
}

const all = rights.join(' ');
const bob: Principal = { subject: 'bob', rights: new Set(['pull']) };

describe('without credentials', () => {
  const loopback = { listener: 'loopback', host: 'localhost:8080' } as const;
  test.each<[string, Partial<AuthenticationOptions>, AuthRequest, string]>([
    ['users, anonymous pulls', {}, request(), 'anonymous: pull'],
    ['users, no anonymous pulls', { anonymousPull: false }, request(), 'missing'],
    ['users, a loopback listener', {}, request(undefined, loopback), 'anonymous: pull'],
    [
      'users, a loopback listener, no anonymous pulls',
      { anonymousPull: false },
      request(undefined, loopback),
      'missing',
    ],
    ['users, an empty user and password', {}, request(basic('', '')), 'anonymous: pull'],
    ['users, empty credentials, no anonymous pulls', { anonymousPull: false }, request(basic('', '')), 'missing'],
    ['no users', { authenticators: [] }, request(), 'anonymous: pull'],
    ['no users, empty credentials', { authenticators: [] }, request(basic('', '')), 'anonymous: pull'],
    ['no users, no anonymous pulls', { authenticators: [], anonymousPull: false }, request(), 'missing'],
    ['no users, a loopback listener', { authenticators: [] }, request(undefined, loopback), `anonymous: ${all}`],
    [
      'no users, a loopback listener, a foreign Host',
      { authenticators: [] },
      request(undefined, { ...loopback, host: 'rebound.example.org', foreignHost: true }),
      'misdirected',
    ],
    [
      'no users, a loopback listener, a foreign Host, empty credentials',
      { authenticators: [] },
      request(basic('', ''), { ...loopback, host: 'rebound.example.org', foreignHost: true }),
      'misdirected',
    ],
    [
      'no users, a loopback listener, a foreign Host of a proxy that is not trusted',
      { authenticators: [] },
      request(undefined, { listener: 'open', foreignHost: true }),
      'misdirected',
    ],
    [
      'no users, a foreign Host and an address with a rule',
      { authenticators: [], addresses: () => bob },
      request(undefined, { ...loopback, host: 'rebound.example.org', foreignHost: true }),
      'misdirected',
    ],
    ['users, a loopback listener, a foreign Host', {}, request(undefined, { foreignHost: true }), 'anonymous: pull'],

    [
      'no users, a loopback listener, no Host',
      { authenticators: [] },
      request(undefined, { ...loopback, host: undefined }),
      'anonymous: pull',
    ],
    [
      'no users, an open listener, a loopback Host',
      { authenticators: [] },
      request(undefined, { host: 'localhost' }),
      'anonymous: pull',
    ],
  ])('%s', (_title, options, who, expected) => {
    const outcome = auth(options).authenticate(who);
    expect(outcome).not.toBeInstanceOf(Promise);
    expect(outcome instanceof Promise ? '' : summary(outcome)).toBe(expected);
  });
});

describe('with credentials', () => {
  test.each([
    ['good ones', basic('alice', 'secret'), 'alice: pull query'],
    ['a wrong password', basic('alice', 'wrong'), 'wrong'],
    ['an unknown user', basic('mallory', 'secret'), 'wrong'],
    ['a user without a password', basic('alice', ''), 'wrong'],
    ['an unknown token', 'Bearer nope', 'wrong'],
    ['another scheme', 'Digest x', 'wrong'],
    ['an empty header', '', 'wrong'],
  ])('%s', async (_title, authorization, expected) => {
    expect(summary(await auth().authenticate(request(authorization)))).toBe(expected);
  });

  test('without authenticators they are wrong, not anonymous', async () => {
    const outcome = await auth({ authenticators: [] }).authenticate(
      request(basic('alice', 'secret'), { listener: 'loopback', host: 'localhost' }),
    );
    expect(summary(outcome)).toBe('wrong');
  });

  test('authenticators are tried in order, and the first that knows them decides', async () => {
    const more: Authenticator = { kind: 'check', authenticate: () => Promise.resolve(bob) };
    const both = auth({ authenticators: [users, more] });
    expect(summary(await both.authenticate(request(basic('alice', 'secret'))))).toBe('alice: pull query');
    expect(summary(await both.authenticate(request(basic('bob', 'x'))))).toBe('bob: pull');
  });
});

describe('tokens of the challenge', () => {
  test('are looked up synchronously, and are invalid once expired', () => {
    const tokens = new PullTokens({ clock, random: systemRandom });
    const both = auth({ authenticators: [users, tokens] });
    const authorization = `Bearer ${tokens.issue(bob).token}`;
    expect(both.authenticate(request(authorization))).toEqual({ kind: 'principal', principal: bob });
    clock.forward(limits.pullTokenMs);
    expect(both.authenticate(request(authorization))).toEqual({ kind: 'unauthorized', reason: 'wrong' });
  });

  test('that are anonymous are valid only if anonymous pulls are allowed', () => {
    const tokens = new PullTokens({ clock, random: systemRandom });
    const authorization = `Bearer ${tokens.issue(undefined).token}`;
    expect(auth({ authenticators: [tokens] }).authenticate(request(authorization))).toMatchObject({
      kind: 'anonymous',
    });
    expect(
      auth({ authenticators: [tokens], anonymousPull: false, metrics: new MetricSet() }).authenticate(
        request(authorization),
      ),
    ).toEqual({
      kind: 'unauthorized',
      reason: 'wrong',
    });
  });
});

describe('the result of a check', () => {
  test('is cached for a while and then returned synchronously', async () => {
    const slow = slowAuthenticator();
    const subject = auth({ authenticators: [slow.authenticator] });
    const first = subject.authenticate(request('Bearer a'));
    slow.answer(bob);
    expect(summary(await first)).toBe('bob: pull');

    clock.forward(limits.credentialMemoryMs - 1);
    expect(subject.authenticate(request('Bearer a'))).toEqual({ kind: 'principal', principal: bob });
    clock.forward(1);
    expect(subject.authenticate(request('Bearer a'))).toBeInstanceOf(Promise);
    expect(slow.asked()).toBe(2);
    slow.answer(bob);
  });

  test('is shared by concurrent requests', async () => {
    const slow = slowAuthenticator();
    const subject = auth({ authenticators: [slow.authenticator] });
    const waiting = Array.from({ length: 10 }, () => subject.authenticate(request('Bearer a')));
    const other = subject.authenticate(request('Bearer b'));
    expect(slow.asked()).toBe(2);
    slow.answer(bob);
    expect(new Set((await Promise.all([...waiting, other])).map(summary))).toEqual(new Set(['bob: pull']));
  });

  test('is cached for a short time if the credentials are wrong', async () => {
    const slow = slowAuthenticator();
    const subject = auth({ authenticators: [slow.authenticator] });
    const refused = subject.authenticate(request('Bearer a'));
    slow.answer(undefined);
    expect(summary(await refused)).toBe('wrong');
    clock.forward(limits.loginRefusalMs - 1);
    expect(subject.authenticate(request('Bearer a'))).toEqual({ kind: 'unauthorized', reason: 'wrong' });
    clock.forward(1);
    const accepted = subject.authenticate(request('Bearer a'));
    slow.answer(bob);
    expect(summary(await accepted)).toBe('bob: pull');
    expect(slow.asked()).toBe(2);
  });
});

describe('failed logins', () => {
  let guesses = 0;
  const guess = async (subject: Authentication, count: number, from = '192.0.2.1'): Promise<string[]> => {
    const slow = Array.from({ length: count }, async () =>
      subject.authenticate(request(basic('alice', `guess-${guesses++}`), { remoteAddress: from })),
    );
    return (await Promise.all(slow)).map(summary);
  };
  const never: Authenticator = { kind: 'check', authenticate: () => Promise.resolve(undefined) };

  test('are bounded per address, including concurrent ones', async () => {
    const subject = auth({ authenticators: [never] });
    const outcomes = await guess(subject, limits.loginFailuresPerMinuteMax + 2);
    expect(outcomes.filter((outcome) => outcome === 'wrong')).toHaveLength(limits.loginFailuresPerMinuteMax);
    expect(outcomes.slice(-2)).toEqual(['wait 60', 'wait 60']);
    expect(await guess(subject, 1, '192.0.2.2')).toEqual(['wrong']);
    clock.forward(60_000);
    expect(await guess(subject, 1)).toEqual(['wrong']);
  });

  test('do not limit any number of concurrent valid logins from one address', async () => {
    const good: Authenticator = { kind: 'check', authenticate: () => Promise.resolve(bob) };
    const subject = auth({ authenticators: [good] });
    const outcomes = await guess(subject, limits.loginFailuresPerMinuteMax * 4);
    expect(new Set(outcomes)).toEqual(new Set(['bob: pull']));
  });

  test('count once for concurrent requests with the same credentials, and valid ones are all admitted', async () => {
    const slow = slowAuthenticator();
    const subject = auth({ authenticators: [slow.authenticator] });
    const many = limits.loginFailuresPerMinuteMax * 4;
    for (const verdict of [undefined, bob]) {
      const waiting = Array.from({ length: many }, async () => subject.authenticate(request('Bearer a')));
      slow.answer(verdict);
      const expected = verdict === undefined ? 'wrong' : 'bob: pull';
      expect((await Promise.all(waiting)).map(summary)).toEqual(Array.from({ length: many }, () => expected));
      clock.forward(limits.loginRefusalMs);
    }
    expect(slow.asked()).toBe(2);
  });

  test('count once for a client that repeats the same wrong credentials, so that others at its address are admitted', async () => {
    const subject = auth();
    for (let count = 0; count < limits.loginFailuresPerMinuteMax * 4; count++) {
      expect(summary(await subject.authenticate(request(basic('alice', 'wrong'))))).toBe('wrong');
      clock.forward(500);
    }
    expect(summary(await subject.authenticate(request(basic('alice', 'secret'))))).toBe('alice: pull query');
  });

  test('do not include expired tokens of this server', async () => {
    const subject = auth({ issued: [new PullTokens({ clock, random: systemRandom })] });
    const before = new PullTokens({ clock, random: systemRandom });
    for (let count = 0; count < limits.loginFailuresPerMinuteMax * 4; count++) {
      const { token } = before.issue({ ...bob });
      expect(subject.authenticate(request(`Bearer ${token}`))).toEqual({ kind: 'unauthorized', reason: 'wrong' });
    }
    expect(await subject.authenticate(request(basic('alice', 'secret')))).toMatchObject({ kind: 'principal' });
  });

  test('do not limit cached credentials or requests without credentials', async () => {
    const subject = auth();
    await subject.authenticate(request(basic('alice', 'secret')));
    await guess(subject, limits.loginFailuresPerMinuteMax);
    expect(await guess(subject, 1)).toEqual(['wait 60']);
    expect(subject.authenticate(request(basic('alice', 'secret')))).toMatchObject({ kind: 'principal' });
    expect(subject.authenticate(request())).toMatchObject({ kind: 'anonymous' });
  });

  test('do not include checks that failed', async () => {
    const broken: Authenticator = {
      kind: 'check',
      authenticate: () => Promise.reject(new TonnageError('unavailable', 'the platform does not answer')),
    };
    const subject = auth({ authenticators: [broken] });
    for (let count = 0; count <= limits.loginFailuresPerMinuteMax; count++) {
      await expect(subject.authenticate(request('Bearer a'))).rejects.toThrow('the platform does not answer');
    }
  });

  test('do not include checks that were too busy', async () => {
    const busy: Authenticator = { kind: 'check', authenticate: () => Promise.resolve('busy') };
    const subject = auth({ authenticators: [busy] });
    const outcomes = new Set<string>();
    for (let count = 0; count <= limits.loginFailuresPerMinuteMax; count++) {
      outcomes.add(summary(await subject.authenticate(request(`Bearer ${count}`))));
    }
    expect(outcomes).toEqual(new Set(['wait 1']));
  });
});

test('checks are counted by outcome, cached ones are not', async () => {
  const subject = auth();
  await subject.authenticate(request(basic('alice', 'secret')));
  await subject.authenticate(request(basic('alice', 'secret')));
  await subject.authenticate(request(basic('alice', 'wrong')));
  const family = metrics.gather().find(({ name }) => name === 'tonnage_identity_checks');
  const counts = family?.type === 'counter' ? [...family.points].map((point) => Number(point.value)) : [];
  expect(counts).toEqual([1, 1, 0, 0, 0]);
});

/** Users with cheap hashes, including the target of the floods: checks of unknown users are expensive. */
const targets = createStaticUsers({
  users: [
    { name: 'alice', passwordHash, email: 'alice@example.org', rights: ['pull', 'query'] },
    { name: 'mallory', passwordHash, rights: ['pull'] },
  ],
  log: collectingLog(),
  random: systemRandom,
});

test('a first login is checked before a flood of attempts from another address', async () => {
  const subject = auth({ authenticators: [targets] });
  const flood = Array.from({ length: 30 }, (_, index) =>
    Promise.resolve(
      subject.authenticate(request(basic('mallory', `guess ${index}`), { remoteAddress: '203.0.113.9' })),
    ),
  );
  let refused = 0;
  for (const each of flood) void each.then(() => refused++);
  const good = await subject.authenticate(request(basic('alice', 'secret'), { remoteAddress: '192.0.2.7' }));
  expect(summary(good)).toBe('alice: pull query');
  // Two were already running, and two may have started together with it.
  expect(refused).toBeLessThan(6);
  await Promise.all(flood);
});

test('a flood from one address does not make other clients retry', async () => {
  const subject = auth({ authenticators: [targets] });
  const from = (host: number) =>
    Array.from({ length: 29 }, (_, index) =>
      Promise.resolve(
        subject.authenticate(
          request(basic('mallory', `guess ${host} ${index}`), { remoteAddress: `203.0.113.${host}` }),
        ),
      ),
    );
  const floods = Array.from({ length: 12 }, (_, host) => from(host)).flat();
  expect(summary(await subject.authenticate(request(basic('alice', 'secret'), { remoteAddress: '192.0.2.7' })))).toBe(
    'alice: pull query',
  );
  const outcomes = (await Promise.all(floods)).map(summary);
  expect(outcomes.filter((outcome) => outcome === 'wait 1').length).toBeGreaterThan(0);
}, 60_000);
