import type { IncomingMessage } from 'node:http';
import { describe, expect, test } from 'vitest';
import { systemClock, systemRandom, TonnageError } from '../base/index.ts';
import { createAddressRules, Authentication, PullTokens, type Authenticator } from '../identity/index.ts';
import { MetricSet } from '../metric/index.ts';
import { createAdmit, authRequestOf } from './admission.ts';
import { clientOf, createForwardedReader } from './forwarded.ts';

type Anonymous = boolean | 'challenge';

/** Authentication with an unavailable identity provider (or without users), and an anonymous token. */
function setUp(anonymous: Anonymous, { logins = true }: { logins?: boolean } = {}) {
  const tokens = new PullTokens({ clock: systemClock, random: systemRandom });
  const unsure: Authenticator = {
    kind: 'check',
    authenticate: () => Promise.reject(new TonnageError('identity_unavailable', 'nobody can say; try again')),
  };
  const authentication = new Authentication({
    authenticators: logins ? [unsure] : [],
    issued: [tokens],
    addresses: createAddressRules([{ cidr: '10.0.0.0/8', org: 'rack.example' }]),
    anonymousPull: anonymous !== false,
    clock: systemClock,
    random: systemRandom,
    metrics: new MetricSet(),
  });
  const challengesAll = anonymous === 'challenge';
  const admit = createAdmit({ authentication, listener: 'open', challenges: () => logins, challengesAll });
  return { admit, authorization: `Bearer ${tokens.issue(undefined).token}` };
}

const elsewhere = '192.0.2.1';
const inTheRack = '10.1.2.3';

describe('the challenge', () => {
  test.each<[Anonymous, boolean, 'base' | 'content', string]>([
    [true, true, 'base', 'refused'],
    [true, true, 'content', 'anonymous'],
    [true, false, 'base', 'anonymous'],
    [true, false, 'content', 'anonymous'],
    ['challenge', true, 'base', 'refused'],
    ['challenge', true, 'content', 'refused'],
    ['challenge', false, 'base', 'refused'],
    ['challenge', false, 'content', 'refused'],
    [false, true, 'base', 'refused'],
    [false, true, 'content', 'refused'],
  ])('anonymous: %s, logins: %s, %s: %s', (anonymous, logins, scope, expected) => {
    const { admit } = setUp(anonymous, { logins });
    expect(admit({}, elsewhere, scope)).toMatchObject({ kind: expected });
    // An empty user name with an empty password is no credentials.
    expect(admit({ authorization: 'Basic Og==' }, elsewhere, scope)).toMatchObject({ kind: expected });
  });

  test.each<[Anonymous, 'base' | 'content']>([
    [true, 'base'],
    [true, 'content'],
    ['challenge', 'base'],
    ['challenge', 'content'],
  ])('anonymous: %s, %s: an anonymous token avoids it', (anonymous, scope) => {
    const { admit, authorization } = setUp(anonymous);
    expect(admit({ authorization }, elsewhere, scope)).toEqual({ kind: 'anonymous' });
  });

  test('an anonymous token does not replace required credentials', () => {
    const { admit, authorization } = setUp(false);
    expect(admit({ authorization }, elsewhere, 'content')).toMatchObject({ kind: 'refused' });
  });
});

describe('an address rule sets the organisation', () => {
  const rack = { kind: 'principal', principal: { org: 'rack.example' } };
  test('of a client without credentials or with an anonymous token', () => {
    for (const anonymous of [true, false]) {
      const { admit, authorization } = setUp(anonymous);
      expect(admit({}, inTheRack, 'content')).toMatchObject(rack);
      expect(admit({ authorization }, inTheRack, 'content')).toMatchObject(rack);
    }
    const { admit, authorization } = setUp('challenge');
    expect(admit({}, inTheRack, 'content')).toMatchObject({ kind: 'refused' });
    expect(admit({ authorization }, inTheRack, 'content')).toMatchObject(rack);
  });
});

test('a client whose address a proxy does not state matches no address rule', () => {
  const headers = { 'x-forwarded-for': 'unknown' };
  createForwardedReader(['10.0.0.0/8'])({
    headers,
    socket: { remoteAddress: inTheRack },
  } as unknown as IncomingMessage);
  const client = clientOf(headers, inTheRack);
  expect(setUp(true).admit(headers, client, 'content')).toEqual({ kind: 'anonymous' });
  expect(setUp(false).admit(headers, client, 'content')).toMatchObject({ kind: 'refused' });
});

test('while the identity provider is unavailable, credentials get 503 with Retry-After', async () => {
  const { admit } = setUp(true);
  const admission = Promise.resolve(admit({ authorization: 'Bearer some-token' }, elsewhere, 'content'));
  await expect(admission).rejects.toMatchObject({ status: 503, headers: { 'Retry-After': '10' } });
});

test.each<[Record<string, string>, string]>([
  [{ host: 'a.example:8080' }, 'http://a.example:8080'],
  [{ host: 'a.example', 'x-forwarded-proto': 'https' }, 'https://a.example'],
  [
    { host: 'a.example', 'x-forwarded-host': 'pull.example.org', 'x-forwarded-proto': 'https' },
    'https://pull.example.org',
  ],
  [{ host: 'a.example', 'x-forwarded-host': 'x",service="evil' }, 'http://localhost'],
])('the challenge contains the URL that a trusted proxy states: %j', (headers, url) => {
  const request = { headers, socket: { remoteAddress: '127.0.0.1' } } as unknown as IncomingMessage;
  createForwardedReader(['127.0.0.1'])(request);
  const { admit } = setUp(true);
  expect(admit(headers, elsewhere, 'base')).toEqual({
    kind: 'refused',
    challenge: `Bearer realm="${url}/v2/token",service="tonnage"`,
  });
});

test.each<[Record<string, string>, string, string]>([
  [{}, '127.0.0.1', 'loopback'],
  [{ 'x-forwarded-for': '127.0.0.1' }, '127.0.0.1', 'loopback'],
  [{ 'x-forwarded-for': '192.0.2.1' }, '192.0.2.1', 'open'],
  // The client is unknown if the proxy does not state its address in a supported header.
  [{ 'x-forwarded-for': 'unknown' }, '', 'open'],
  [{ 'x-forwarded-for': '' }, '', 'open'],
  [{ 'x-real-ip': '192.0.2.1' }, '', 'open'],
  [{ 'x-forwarded-proto': 'https' }, '', 'open'],
  [{ 'x-envoy-external-address': '127.0.0.1' }, '', 'open'],
  [{ forwarded: 'for=192.0.2.1' }, '', 'open'],
])('on a loopback listener, a request from a trusted proxy with %j is from %s, %s', (headers, client, listener) => {
  createForwardedReader(['127.0.0.1'])({
    headers,
    socket: { remoteAddress: '127.0.0.1' },
  } as unknown as IncomingMessage);
  expect(clientOf(headers, '127.0.0.1')).toBe(client);
  expect(authRequestOf(headers, client, { listener: 'loopback' }).listener).toBe(listener);
});
