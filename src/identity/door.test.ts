import { beforeEach, describe, expect, test } from 'vitest';
import { limits, systemRandom, TonnageError } from '../base/index.ts';
import { MetricSet } from '../metric/index.ts';
import type { Authenticator, Verdict } from './authenticator.ts';
import { createDoor, requireRight, type Door, type DoorOptions, type Outcome, type Visitor } from './door.ts';
import { rights, type Principal, type Right } from './principal.ts';
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

function door(options: Partial<DoorOptions> = {}): Door {
  return createDoor({ authenticators: [users], anonymousPull: true, clock, random: systemRandom, metrics, ...options });
}

const visitor = (authorization?: string, more: Partial<Visitor> = {}): Visitor => ({
  authorization,
  remoteAddress: '192.0.2.1',
  host: 'pull.example.org',
  listener: 'open',
  ...more,
});

/** What an outcome allows, in short. */
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

/** An authenticator that answers when it is told to, and counts how often it was asked. */
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
  test.each<[string, Partial<DoorOptions>, Visitor, string]>([
    ['users, anonymous pulls', {}, visitor(), 'anonymous: pull'],
    ['users, no anonymous pulls', { anonymousPull: false }, visitor(), 'missing'],
    ['users, a loopback listener', {}, visitor(undefined, loopback), 'anonymous: pull'],
    [
      'users, a loopback listener, no anonymous pulls',
      { anonymousPull: false },
      visitor(undefined, loopback),
      'missing',
    ],
    ['users, an empty user and password', {}, visitor(basic('', '')), 'anonymous: pull'],
    ['users, empty credentials, no anonymous pulls', { anonymousPull: false }, visitor(basic('', '')), 'missing'],
    ['no users', { authenticators: [] }, visitor(), 'anonymous: pull'],
    ['no users, empty credentials', { authenticators: [] }, visitor(basic('', '')), 'anonymous: pull'],
    ['no users, no anonymous pulls', { authenticators: [], anonymousPull: false }, visitor(), 'missing'],
    ['no users, a loopback listener', { authenticators: [] }, visitor(undefined, loopback), `anonymous: ${all}`],
    [
      'no users, a loopback listener, a foreign Host',
      { authenticators: [] },
      visitor(undefined, { ...loopback, host: 'rebound.example.org', foreignHost: true }),
      'misdirected',
    ],
    [
      'no users, a loopback listener, a foreign Host, empty credentials',
      { authenticators: [] },
      visitor(basic('', ''), { ...loopback, host: 'rebound.example.org', foreignHost: true }),
      'misdirected',
    ],
    [
      'no users, a loopback listener, a foreign Host of a proxy that is not trusted',
      { authenticators: [] },
      visitor(undefined, { listener: 'open', foreignHost: true }),
      'misdirected',
    ],
    [
      'no users, a foreign Host and an address with a rule',
      { authenticators: [], addresses: () => bob },
      visitor(undefined, { ...loopback, host: 'rebound.example.org', foreignHost: true }),
      'misdirected',
    ],
    ['users, a loopback listener, a foreign Host', {}, visitor(undefined, { foreignHost: true }), 'anonymous: pull'],

    [
      'no users, a loopback listener, no Host',
      { authenticators: [] },
      visitor(undefined, { ...loopback, host: undefined }),
      'anonymous: pull',
    ],
    [
      'no users, an open listener, a loopback Host',
      { authenticators: [] },
      visitor(undefined, { host: 'localhost' }),
      'anonymous: pull',
    ],
  ])('%s', (_title, options, who, expected) => {
    const outcome = door(options).enter(who);
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
    expect(summary(await door().enter(visitor(authorization)))).toBe(expected);
  });

  test('where nobody can log in they are wrong, not anonymous', async () => {
    const outcome = await door({ authenticators: [] }).enter(
      visitor(basic('alice', 'secret'), { listener: 'loopback', host: 'localhost' }),
    );
    expect(summary(outcome)).toBe('wrong');
  });

  test('authenticators are asked in turn, and the first that knows them decides', async () => {
    const more: Authenticator = { kind: 'check', authenticate: () => Promise.resolve(bob) };
    const both = door({ authenticators: [users, more] });
    expect(summary(await both.enter(visitor(basic('alice', 'secret'))))).toBe('alice: pull query');
    expect(summary(await both.enter(visitor(basic('bob', 'x'))))).toBe('bob: pull');
  });
});

describe('tokens of the challenge', () => {
  test('are found at once, and are gone when they end', () => {
    const tokens = new PullTokens({ clock, random: systemRandom });
    const both = door({ authenticators: [users, tokens] });
    const authorization = `Bearer ${tokens.issue(bob).token}`;
    expect(both.enter(visitor(authorization))).toEqual({ kind: 'principal', principal: bob });
    clock.forward(limits.pullTokenMs);
    expect(both.enter(visitor(authorization))).toEqual({ kind: 'unauthorized', reason: 'wrong' });
  });

  test('of nobody in particular are only good where anonymous pulls are', () => {
    const tokens = new PullTokens({ clock, random: systemRandom });
    const authorization = `Bearer ${tokens.issue(undefined).token}`;
    expect(door({ authenticators: [tokens] }).enter(visitor(authorization))).toMatchObject({ kind: 'anonymous' });
    expect(
      door({ authenticators: [tokens], anonymousPull: false, metrics: new MetricSet() }).enter(visitor(authorization)),
    ).toEqual({
      kind: 'unauthorized',
      reason: 'wrong',
    });
  });
});

describe('what was found out', () => {
  test('is remembered for a while, and then answered at once', async () => {
    const slow = slowAuthenticator();
    const subject = door({ authenticators: [slow.authenticator] });
    const first = subject.enter(visitor('Bearer a'));
    slow.answer(bob);
    expect(summary(await first)).toBe('bob: pull');

    clock.forward(limits.credentialMemoryMs - 1);
    expect(subject.enter(visitor('Bearer a'))).toEqual({ kind: 'principal', principal: bob });
    clock.forward(1);
    expect(subject.enter(visitor('Bearer a'))).toBeInstanceOf(Promise);
    expect(slow.asked()).toBe(2);
    slow.answer(bob);
  });

  test('is asked for once, however many wait for it', async () => {
    const slow = slowAuthenticator();
    const subject = door({ authenticators: [slow.authenticator] });
    const waiting = Array.from({ length: 10 }, () => subject.enter(visitor('Bearer a')));
    const other = subject.enter(visitor('Bearer b'));
    expect(slow.asked()).toBe(2);
    slow.answer(bob);
    expect(new Set((await Promise.all([...waiting, other])).map(summary))).toEqual(new Set(['bob: pull']));
  });

  test('is remembered for a short time only when it was a refusal', async () => {
    const slow = slowAuthenticator();
    const subject = door({ authenticators: [slow.authenticator] });
    const refused = subject.enter(visitor('Bearer a'));
    slow.answer(undefined);
    expect(summary(await refused)).toBe('wrong');
    clock.forward(limits.loginRefusalMs - 1);
    expect(subject.enter(visitor('Bearer a'))).toEqual({ kind: 'unauthorized', reason: 'wrong' });
    clock.forward(1);
    const accepted = subject.enter(visitor('Bearer a'));
    slow.answer(bob);
    expect(summary(await accepted)).toBe('bob: pull');
    expect(slow.asked()).toBe(2);
  });
});

describe('failed logins', () => {
  let guesses = 0;
  const guess = async (subject: Door, count: number, from = '192.0.2.1'): Promise<string[]> => {
    const slow = Array.from({ length: count }, async () =>
      subject.enter(visitor(basic('alice', `guess-${guesses++}`), { remoteAddress: from })),
    );
    return (await Promise.all(slow)).map(summary);
  };
  const never: Authenticator = { kind: 'check', authenticate: () => Promise.resolve(undefined) };

  test('are bounded for each address, also those at the same time', async () => {
    const subject = door({ authenticators: [never] });
    const outcomes = await guess(subject, limits.loginFailuresPerMinuteMax + 2);
    expect(outcomes.filter((outcome) => outcome === 'wrong')).toHaveLength(limits.loginFailuresPerMinuteMax);
    expect(outcomes.slice(-2)).toEqual(['wait 60', 'wait 60']);
    expect(await guess(subject, 1, '192.0.2.2')).toEqual(['wrong']);
    clock.forward(60_000);
    expect(await guess(subject, 1)).toEqual(['wrong']);
  });

  test('keep nobody out who is good, however many come at once from one address', async () => {
    const good: Authenticator = { kind: 'check', authenticate: () => Promise.resolve(bob) };
    const subject = door({ authenticators: [good] });
    const outcomes = await guess(subject, limits.loginFailuresPerMinuteMax * 4);
    expect(new Set(outcomes)).toEqual(new Set(['bob: pull']));
  });

  test('are one when the same credentials come many times at once, and those with good ones are all let in', async () => {
    const slow = slowAuthenticator();
    const subject = door({ authenticators: [slow.authenticator] });
    const many = limits.loginFailuresPerMinuteMax * 4;
    for (const verdict of [undefined, bob]) {
      const waiting = Array.from({ length: many }, async () => subject.enter(visitor('Bearer a')));
      slow.answer(verdict);
      const expected = verdict === undefined ? 'wrong' : 'bob: pull';
      expect((await Promise.all(waiting)).map(summary)).toEqual(Array.from({ length: many }, () => expected));
      clock.forward(limits.loginRefusalMs);
    }
    expect(slow.asked()).toBe(2);
  });

  test('are few when a client keeps on trying what is wrong, so that others behind its address are let in', async () => {
    const subject = door();
    for (let count = 0; count < limits.loginFailuresPerMinuteMax * 4; count++) {
      expect(summary(await subject.enter(visitor(basic('alice', 'wrong'))))).toBe('wrong');
      clock.forward(500);
    }
    expect(summary(await subject.enter(visitor(basic('alice', 'secret'))))).toBe('alice: pull query');
  });

  test('are not those with tokens of our own that have ended, which a client may hold without any fault', async () => {
    const subject = door({ issued: [new PullTokens({ clock, random: systemRandom })] });
    const before = new PullTokens({ clock, random: systemRandom });
    for (let count = 0; count < limits.loginFailuresPerMinuteMax * 4; count++) {
      const { token } = before.issue({ ...bob });
      expect(subject.enter(visitor(`Bearer ${token}`))).toEqual({ kind: 'unauthorized', reason: 'wrong' });
    }
    expect(await subject.enter(visitor(basic('alice', 'secret')))).toMatchObject({ kind: 'principal' });
  });

  test('do not keep those out who are remembered or have no credentials', async () => {
    const subject = door();
    await subject.enter(visitor(basic('alice', 'secret')));
    await guess(subject, limits.loginFailuresPerMinuteMax);
    expect(await guess(subject, 1)).toEqual(['wait 60']);
    expect(subject.enter(visitor(basic('alice', 'secret')))).toMatchObject({ kind: 'principal' });
    expect(subject.enter(visitor())).toMatchObject({ kind: 'anonymous' });
  });

  test('do not include those that could not be looked at', async () => {
    const broken: Authenticator = {
      kind: 'check',
      authenticate: () => Promise.reject(new TonnageError('unavailable', 'the platform does not answer')),
    };
    const subject = door({ authenticators: [broken] });
    for (let count = 0; count <= limits.loginFailuresPerMinuteMax; count++) {
      await expect(subject.enter(visitor('Bearer a'))).rejects.toThrow('the platform does not answer');
    }
  });

  test('do not include those for whom there was no time', async () => {
    const busy: Authenticator = { kind: 'check', authenticate: () => Promise.resolve('busy') };
    const subject = door({ authenticators: [busy] });
    const outcomes = new Set<string>();
    for (let count = 0; count <= limits.loginFailuresPerMinuteMax; count++) {
      outcomes.add(summary(await subject.enter(visitor(`Bearer ${count}`))));
    }
    expect(outcomes).toEqual(new Set(['wait 1']));
  });
});

test('checks are counted by outcome, remembered ones are not', async () => {
  const subject = door();
  await subject.enter(visitor(basic('alice', 'secret')));
  await subject.enter(visitor(basic('alice', 'secret')));
  await subject.enter(visitor(basic('alice', 'wrong')));
  const family = metrics.gather().find(({ name }) => name === 'tonnage_identity_checks');
  const counts = family?.type === 'counter' ? [...family.points].map((point) => Number(point.value)) : [];
  expect(counts).toEqual([1, 1, 0, 0, 0]);
});

describe('a right', () => {
  const anonymous: Outcome = { kind: 'anonymous', principal: { subject: 'anonymous', rights: new Set(['pull']) } };
  test.each<[Outcome, Right, string]>([
    [{ kind: 'principal', principal: bob }, 'pull', 'bob'],
    [{ kind: 'principal', principal: bob }, 'query', 'forbidden'],
    [anonymous, 'pull', 'anonymous'],
    [anonymous, 'query', 'unauthorized'],
    [{ kind: 'unauthorized', reason: 'missing' }, 'pull', 'unauthorized'],
    [{ kind: 'unauthorized', reason: 'wrong' }, 'pull', 'unauthorized'],
    [{ kind: 'limited', retryAfterSeconds: 9 }, 'pull', 'login_limited'],
  ])('%j, %s: %s', (outcome, right, expected) => {
    let answer: string;
    try {
      answer = requireRight(outcome, right).subject;
    } catch (thrown) {
      answer = thrown instanceof TonnageError ? thrown.code : 'no operating error';
    }
    expect(answer).toBe(expected);
  });
});

/** With a user that the floods guess at: checks of this hash are cheap, those for a name that does not exist are not. */
const targets = createStaticUsers({
  users: [
    { name: 'alice', passwordHash, email: 'alice@example.org', rights: ['pull', 'query'] },
    { name: 'mallory', passwordHash, rights: ['pull'] },
  ],
  log: collectingLog(),
  random: systemRandom,
});

test('a first login is checked before the many tries of a flood from another address', async () => {
  const subject = door({ authenticators: [targets] });
  const flood = Array.from({ length: 30 }, (_, index) =>
    Promise.resolve(subject.enter(visitor(basic('mallory', `guess ${index}`), { remoteAddress: '203.0.113.9' }))),
  );
  let refused = 0;
  for (const each of flood) void each.then(() => refused++);
  const good = await subject.enter(visitor(basic('alice', 'secret'), { remoteAddress: '192.0.2.7' }));
  expect(summary(good)).toBe('alice: pull query');
  // Two ran already, and two may have come to their turn together with it.
  expect(refused).toBeLessThan(6);
  await Promise.all(flood);
});

test('a flood from one address does not make checks of others come back later', async () => {
  const subject = door({ authenticators: [targets] });
  const from = (host: number) =>
    Array.from({ length: 29 }, (_, index) =>
      Promise.resolve(
        subject.enter(visitor(basic('mallory', `guess ${host} ${index}`), { remoteAddress: `203.0.113.${host}` })),
      ),
    );
  const floods = Array.from({ length: 12 }, (_, host) => from(host)).flat();
  expect(summary(await subject.enter(visitor(basic('alice', 'secret'), { remoteAddress: '192.0.2.7' })))).toBe(
    'alice: pull query',
  );
  const outcomes = (await Promise.all(floods)).map(summary);
  expect(outcomes.filter((outcome) => outcome === 'wait 1').length).toBeGreaterThan(0);
}, 60_000);
