import { expect, test } from 'vitest';
import { unknownKey } from './unknown-key.ts';

const user = 'unknown key; the keys here are passwordHash, passwordHashFile, email, org, rights';

test.each([
  // A slip, or a word, of a key beside it.
  ['users.c', 'password', 'unknown key; did you mean passwordHash?'],
  ['users.c', 'pass', 'unknown key; did you mean passwordHash?'],
  ['users.c', 'hash', 'unknown key; did you mean passwordHash?'],
  ['users.c', 'Password', 'unknown key; did you mean passwordHash?'],
  ['users.c', 'password_hash', 'unknown key; did you mean passwordHash?'],
  ['users.c', 'mail', 'unknown key; did you mean email?'],
  ['users.c', 'right', 'unknown key; did you mean rights?'],
  ['store', 'keep', 'unknown key; did you mean outboxKeep?'],
  ['store', 'address', 'unknown key; the keys here are driver, url, urlFile, sentinel, cluster, username, password,'],
  ['', 'timeout', 'unknown key; did you mean shutdownTimeout?'],
  ['', 'upstream', 'unknown key; did you mean upstreams?'],
  // Of the same name elsewhere, where it could not stand here.
  ['users.c', 'username', user],
  ['users.c', 'url', user],
  ['users.c', 'name', user],
  ['users.c', 'anonymous', user],
  ['log', 'url', 'unknown key; the keys here are level, access'],
  ['gateway', 'tagTtl', 'unknown key; the keys here are defaultUpstream,'],
  ['usage', 'key', 'unknown key; the keys here are dimensions,'],
  ['', 'password', 'unknown key; the keys here are listen,'],
  ['', 'name', 'unknown key; the keys here are listen,'],
  ['', 'tls', 'unknown key; the keys here are listen,'],
  // One map too far out, or in.
  ['', 'anonymous', 'unknown key here; did you mean gateway.anonymous?'],
  ['', 'oidc', 'unknown key here; did you mean identity.oidc?'],
  ['upstreams.lab', 'password', 'unknown key here; did you mean auth.basic.password?'],
  ['upstreams.lab.auth', 'username', 'unknown key here; did you mean basic.username?'],
  ['identity', 'endpoint', 'unknown key here; did you mean platform.endpoint?'],
  ['upstreams.lab.auth', 'tagTtl', 'unknown key here; it belongs under upstreams.lab'],
  ['store.sentinel', 'tls', 'unknown key here; it belongs under store'],
  ['gateway', 'upstreams', 'unknown key here; it belongs to the top of the configuration'],
  ['upstreams.lab.auth.basic', 'listen', 'unknown key here; it belongs to the top of the configuration'],
  ['users.c', 'org:x', 'unknown key; is a blank missing after its colon?'],
])('in %j the key %j: %s', (parent, key, message) => {
  expect(unknownKey(key, parent === '' ? [] : parent.split('.'), [])).toContain(message);
});

test('a slip stays one where the key is stated too; what has a part of a name then means another one', () => {
  expect(unknownKey('password', ['users', 'c'], ['passwordHash', 'password'])).toBe(
    'unknown key; did you mean passwordHashFile?',
  );
  expect(unknownKey('emial', ['users', 'c'], ['email', 'emial'])).toBe('unknown key; did you mean email?');
});

test('in a list the position of an item leads on as a name does', () => {
  expect(unknownKey('platform', ['identity', 'oidc', 0], [])).toBe('unknown key here; it belongs under identity');
});
