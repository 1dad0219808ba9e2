import { beforeEach, describe, expect, test } from 'vitest';
import { limits, systemRandom, TonnageError } from '../base/index.ts';
import { MetricSet } from '../metric/index.ts';
import { createAddressRules } from './address-rules.ts';
import type { Authenticator, CheckVerdict } from './authenticator.ts';
import {
  Authentication,
  requireRight,
  type AuthenticationOptions,
  type AuthRequest,
  type Outcome,
} from './authentication.ts';
import type { Principal, Right } from './principal.ts';
import { PullTokens } from './pull-tokens.ts';
import { basic, HandClock } from './testing/fixtures.ts';

/** Authentication by kind of verdict, and by address. */
let clock: HandClock;
beforeEach(() => {
  clock = new HandClock();
});

const bob: Principal = { subject: 'bob', rights: new Set(['pull']) };

function auth(options: Partial<AuthenticationOptions>): Authentication {
  const metrics = new MetricSet();
  return new Authentication({
    authenticators: [],
    anonymousPull: true,
    clock,
    random: systemRandom,
    metrics,
    ...options,
  });
}

const from = (remoteAddress: string, more: Partial<AuthRequest> = {}): AuthRequest => ({
  remoteAddress,
  host: 'pull.example.org',
  listener: 'open',
  ...more,
});
const withToken = (text = 'a'): AuthRequest => from('192.0.2.1', { authorization: `Bearer ${text}` });

/** An authenticator with a fixed verdict that counts its calls. */
function answering(verdict: CheckVerdict) {
  const asked: string[] = [];
  const authenticator: Authenticator = {
    kind: 'check',
    authenticate: (credential) => {
      asked.push(credential.scheme === 'bearer' ? credential.token : credential.password);
      return Promise.resolve(verdict);
    },
  };
  return { asked, authenticator };
}

describe('the verdict of an authenticator', () => {
  test('is cached for no longer than it is valid', async () => {
    const { asked, authenticator } = answering({ principal: bob, validForMs: 1_000 });
    const subject = auth({ authenticators: [authenticator] });
    expect(await subject.authenticate(withToken())).toEqual({ kind: 'principal', principal: bob });
    clock.forward(999);
    expect(subject.authenticate(withToken())).toEqual({ kind: 'principal', principal: bob });
    clock.forward(1);
    await subject.authenticate(withToken());
    expect(asked).toHaveLength(2);
  });

  test.each([[0], [-10_000]])('valid for %i ms is not cached', async (validForMs) => {
    const { asked, authenticator } = answering({ principal: bob, validForMs });
    const subject = auth({ authenticators: [authenticator] });
    await subject.authenticate(withToken());
    await subject.authenticate(withToken());
    expect(asked).toHaveLength(2);
  });

  test('valid for a year is cached as long as any other', async () => {
    const { asked, authenticator } = answering({ principal: bob, validForMs: 366 * 86_400_000 });
    const subject = auth({ authenticators: [authenticator] });
    await subject.authenticate(withToken());
    clock.forward(limits.credentialMemoryMs);
    await subject.authenticate(withToken());
    expect(asked).toHaveLength(2);
  });

  test('wrong is final: other authenticators do not see the credentials', async () => {
    const first = answering('wrong');
    const second = answering(bob);
    const subject = auth({ authenticators: [first.authenticator, second.authenticator] });
    expect(await subject.authenticate(withToken())).toEqual({ kind: 'unauthorized', reason: 'wrong' });
    expect(second.asked).toEqual([]);
  });

  test('unknown makes one request anonymous, if anonymous pulls are allowed', async () => {
    const { asked, authenticator } = answering('unknown');
    const subject = auth({ authenticators: [authenticator] });
    const outcome = await subject.authenticate(withToken());
    expect(requireRight(outcome, 'pull')).toMatchObject({ subject: 'anonymous' });
    expect(() => requireRight(outcome, 'query')).toThrow('is unavailable; try again');
    await subject.authenticate(withToken());
    expect(asked).toHaveLength(2);
    const closed = auth({ authenticators: [authenticator], anonymousPull: false });
    await expect(closed.authenticate(withToken())).rejects.toMatchObject({ code: 'identity_unavailable' });
  });

  test('failures of all authenticators count per address', async () => {
    const { authenticator } = answering('wrong');
    const subject = auth({ authenticators: [authenticator] });
    for (let count = 0; count < limits.loginFailuresPerMinuteMax; count++)
      await subject.authenticate(withToken(`t${count}`));
    expect(await subject.authenticate(withToken('next'))).toEqual({ kind: 'limited', retryAfterSeconds: 60 });
    const elsewhere = from('192.0.2.2', { authorization: basic('x', 'y') });
    expect(await subject.authenticate(elsewhere)).toEqual({ kind: 'unauthorized', reason: 'wrong' });
  });

  test('expired tokens of this server are not passed to other authenticators', async () => {
    const tokens = new PullTokens({ clock, random: systemRandom });
    const { asked, authenticator } = answering(bob);
    const subject = auth({ authenticators: [authenticator], issued: [tokens] });
    const { token } = tokens.issue(bob);
    clock.forward(limits.pullTokenMs);
    expect(await subject.authenticate(withToken(token))).toEqual({ kind: 'unauthorized', reason: 'wrong' });
    expect(asked).toEqual([]);
  });
});

describe('organisations by address', () => {
  const addresses = createAddressRules([{ cidr: '10.0.0.0/8', org: 'rack.example' }]);
  const rack = { subject: 'address:10.0.0.0/8', org: 'rack.example', isNetwork: true, rights: new Set(['pull']) };
  const byAddress = { kind: 'anonymous', principal: rack, byAddress: rack };

  test.each([[true], [false]])('apply to requests without credentials, with anonymous pulls: %s', (anonymousPull) => {
    const subject = auth({ addresses, anonymousPull, authenticators: [answering(undefined).authenticator] });
    expect(subject.authenticate(from('10.1.2.3'))).toEqual(byAddress);
    expect(subject.authenticate(from('10.1.2.3', { authorization: basic('', '') }))).toEqual(byAddress);
    expect(subject.authenticate(from('::ffff:10.1.2.3'))).toEqual(byAddress);
    expect(subject.authenticate(from('11.1.2.3'))).toMatchObject({
      kind: anonymousPull ? 'anonymous' : 'unauthorized',
    });
  });

  test('apply to an anonymous token, by the address that sends it', () => {
    const tokens = new PullTokens({ clock, random: systemRandom });
    const authorization = `Bearer ${tokens.issue(undefined).token}`;
    const subject = auth({ addresses, anonymousPull: false, issued: [tokens] });
    expect(subject.authenticate(from('10.1.2.3', { authorization }))).toEqual(byAddress);
    expect(subject.authenticate(from('11.1.2.3', { authorization }))).toEqual({
      kind: 'unauthorized',
      reason: 'wrong',
    });
  });

  test('do not apply to requests with credentials, valid or wrong', async () => {
    const good = auth({ addresses, authenticators: [answering(bob).authenticator] });
    const wrong = auth({ addresses, authenticators: [answering(undefined).authenticator] });
    const authorization = basic('bob', 'x');
    expect(await good.authenticate(from('10.1.2.3', { authorization }))).toEqual({ kind: 'principal', principal: bob });
    expect(await wrong.authenticate(from('10.1.2.3', { authorization }))).toEqual({
      kind: 'unauthorized',
      reason: 'wrong',
    });
  });

  test('give only the right to pull; on this machine without authenticators, they remove no rights', () => {
    const open = auth({ addresses: createAddressRules([{ cidr: '127.0.0.0/8', org: 'rack.example' }]) });
    const here = open.authenticate(from('127.0.0.1', { listener: 'loopback', host: 'localhost' }));
    expect(here).toMatchObject({ kind: 'anonymous', byAddress: { org: 'rack.example' } });
    expect(here).toMatchObject({ principal: { rights: new Set(['pull', 'query', 'ingest', 'admin']) } });
    expect(open.authenticate(from('127.0.0.1'))).toMatchObject({ principal: { rights: new Set(['pull']) } });
  });
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
