import { beforeEach, describe, expect, test } from 'vitest';
import { limits, systemRandom } from '../base/index.ts';
import { MetricSet } from '../metric/index.ts';
import { createAddressRules } from './address-rules.ts';
import type { Authenticator, CheckVerdict } from './authenticator.ts';
import { createDoor, requireRight, type Door, type DoorOptions, type Visitor } from './door.ts';
import type { Principal } from './principal.ts';
import { PullTokens } from './pull-tokens.ts';
import { basic, HandClock } from './testing/fixtures.ts';

/** What the door makes of the verdicts of its authenticators, and of addresses. */
let clock: HandClock;
beforeEach(() => {
  clock = new HandClock();
});

const bob: Principal = { subject: 'bob', rights: new Set(['pull']) };

function door(options: Partial<DoorOptions>): Door {
  const metrics = new MetricSet();
  return createDoor({ authenticators: [], anonymousPull: true, clock, random: systemRandom, metrics, ...options });
}

const from = (remoteAddress: string, more: Partial<Visitor> = {}): Visitor => ({
  remoteAddress,
  host: 'pull.example.org',
  listener: 'open',
  ...more,
});
const withToken = (text = 'a'): Visitor => from('192.0.2.1', { authorization: `Bearer ${text}` });

/** An authenticator that answers one thing, and counts how often it was asked. */
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

describe('what an authenticator finds', () => {
  test('is remembered for no longer than it is good', async () => {
    const { asked, authenticator } = answering({ principal: bob, goodForMs: 1_000 });
    const subject = door({ authenticators: [authenticator] });
    expect(await subject.enter(withToken())).toEqual({ kind: 'principal', principal: bob });
    clock.forward(999);
    expect(subject.enter(withToken())).toEqual({ kind: 'principal', principal: bob });
    clock.forward(1);
    await subject.enter(withToken());
    expect(asked).toHaveLength(2);
  });

  test.each([[0], [-10_000]])('for %i ms is not remembered', async (goodForMs) => {
    const { asked, authenticator } = answering({ principal: bob, goodForMs });
    const subject = door({ authenticators: [authenticator] });
    await subject.enter(withToken());
    await subject.enter(withToken());
    expect(asked).toHaveLength(2);
  });

  test('for a year is remembered as long as anything', async () => {
    const { asked, authenticator } = answering({ principal: bob, goodForMs: 366 * 86_400_000 });
    const subject = door({ authenticators: [authenticator] });
    await subject.enter(withToken());
    clock.forward(limits.credentialMemoryMs);
    await subject.enter(withToken());
    expect(asked).toHaveLength(2);
  });

  test('to be wrong is the last word: nobody else is shown it', async () => {
    const first = answering('wrong');
    const second = answering(bob);
    const subject = door({ authenticators: [first.authenticator, second.authenticator] });
    expect(await subject.enter(withToken())).toEqual({ kind: 'unauthorized', reason: 'wrong' });
    expect(second.asked).toEqual([]);
  });

  test('that nobody can say leaves them anonymous for this once, where anybody may pull', async () => {
    const { asked, authenticator } = answering('unknown');
    const subject = door({ authenticators: [authenticator] });
    const outcome = await subject.enter(withToken());
    expect(requireRight(outcome, 'pull')).toMatchObject({ subject: 'anonymous' });
    expect(() => requireRight(outcome, 'query')).toThrow('does not answer; try again');
    await subject.enter(withToken());
    expect(asked).toHaveLength(2);
    const closed = door({ authenticators: [authenticator], anonymousPull: false });
    await expect(closed.enter(withToken())).rejects.toMatchObject({ code: 'identity_unavailable' });
  });

  test('failures count for each address, whoever found them', async () => {
    const { authenticator } = answering('wrong');
    const subject = door({ authenticators: [authenticator] });
    for (let count = 0; count < limits.loginFailuresPerMinuteMax; count++) await subject.enter(withToken(`t${count}`));
    expect(await subject.enter(withToken('next'))).toEqual({ kind: 'limited', retryAfterSeconds: 60 });
    const elsewhere = from('192.0.2.2', { authorization: basic('x', 'y') });
    expect(await subject.enter(elsewhere)).toEqual({ kind: 'unauthorized', reason: 'wrong' });
  });

  test('tokens of our own that have ended are shown to nobody', async () => {
    const tokens = new PullTokens({ clock, random: systemRandom });
    const { asked, authenticator } = answering(bob);
    const subject = door({ authenticators: [authenticator], issued: [tokens] });
    const { token } = tokens.issue(bob);
    clock.forward(limits.pullTokenMs);
    expect(await subject.enter(withToken(token))).toEqual({ kind: 'unauthorized', reason: 'wrong' });
    expect(asked).toEqual([]);
  });
});

describe('organisations by address', () => {
  const addresses = createAddressRules([{ cidr: '10.0.0.0/8', org: 'rack.example' }]);
  const rack = { subject: 'address:10.0.0.0/8', org: 'rack.example', isNetwork: true, rights: new Set(['pull']) };
  const byAddress = { kind: 'anonymous', principal: rack, byAddress: rack };

  test.each([[true], [false]])('hold for who brings nothing, where anonymous pulls are %s', (anonymousPull) => {
    const subject = door({ addresses, anonymousPull, authenticators: [answering(undefined).authenticator] });
    expect(subject.enter(from('10.1.2.3'))).toEqual(byAddress);
    expect(subject.enter(from('10.1.2.3', { authorization: basic('', '') }))).toEqual(byAddress);
    expect(subject.enter(from('::ffff:10.1.2.3'))).toEqual(byAddress);
    expect(subject.enter(from('11.1.2.3'))).toMatchObject({ kind: anonymousPull ? 'anonymous' : 'unauthorized' });
  });

  test('hold for an anonymous token, at the address where it is shown', () => {
    const tokens = new PullTokens({ clock, random: systemRandom });
    const authorization = `Bearer ${tokens.issue(undefined).token}`;
    const subject = door({ addresses, anonymousPull: false, issued: [tokens] });
    expect(subject.enter(from('10.1.2.3', { authorization }))).toEqual(byAddress);
    expect(subject.enter(from('11.1.2.3', { authorization }))).toEqual({ kind: 'unauthorized', reason: 'wrong' });
  });

  test('do not hold for who brings credentials, good or wrong', async () => {
    const good = door({ addresses, authenticators: [answering(bob).authenticator] });
    const wrong = door({ addresses, authenticators: [answering(undefined).authenticator] });
    const authorization = basic('bob', 'x');
    expect(await good.enter(from('10.1.2.3', { authorization }))).toEqual({ kind: 'principal', principal: bob });
    expect(await wrong.enter(from('10.1.2.3', { authorization }))).toEqual({ kind: 'unauthorized', reason: 'wrong' });
  });

  test('give no right but to pull; on this machine, where nobody can log in, they take none away', () => {
    const open = door({ addresses: createAddressRules([{ cidr: '127.0.0.0/8', org: 'rack.example' }]) });
    const here = open.enter(from('127.0.0.1', { listener: 'loopback', host: 'localhost' }));
    expect(here).toMatchObject({ kind: 'anonymous', byAddress: { org: 'rack.example' } });
    expect(here).toMatchObject({ principal: { rights: new Set(['pull', 'query', 'ingest', 'admin']) } });
    expect(open.enter(from('127.0.0.1'))).toMatchObject({ principal: { rights: new Set(['pull']) } });
  });
});
