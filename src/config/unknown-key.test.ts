import { expect, test } from 'vitest';
import { createModel } from './schema.ts';
import { emptyMap, mergeTrees, treeAt, type Path, type Tree } from './tree.ts';
import { unknownKey } from './unknown-key.ts';

const { keys } = createModel({});

/** A file that states these keys in the map at `parent`. */
function stating(parent: Path, stated: readonly string[]): Tree {
  const origin = { kind: 'default' } as const;
  const value: Tree = { kind: 'scalar', value: 1, origin };
  const names = parent.filter((step) => typeof step === 'string');
  return stated.map((key) => treeAt([...names, key], value)).reduce(mergeTrees, emptyMap(origin));
}

function message(key: string, parent: Path, stated: readonly string[] = []): string {
  return unknownKey(key, parent, stating(parent, stated), keys);
}

const user = 'unknown key; the keys here are passwordHash, passwordHashFile, email, org, rights';

test.each([
  // A mistyped key of the same map, or a word of one.
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
  // A key of the same name elsewhere that is of no use here.
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
  // A key that belongs to an inner or outer map.
  ['', 'anonymous', 'unknown key here; did you mean gateway.anonymous?'],
  ['', 'oidc', 'unknown key here; did you mean identity.oidc?'],
  ['upstreams.lab', 'password', 'unknown key here; did you mean auth.basic.password?'],
  ['upstreams.lab.auth', 'username', 'unknown key here; did you mean basic.username?'],
  ['identity', 'endpoint', 'unknown key here; did you mean platform.endpoint?'],
  ['upstreams.lab.auth', 'tagTtl', 'unknown key here; it belongs under upstreams.lab'],
  ['store.sentinel', 'tls', 'unknown key here; it belongs under store'],
  ['gateway', 'upstreams', 'unknown key here; it belongs at the top level of the configuration'],
  ['upstreams.lab.auth.basic', 'listen', 'unknown key here; it belongs at the top level of the configuration'],
  ['users.c', 'org:x', 'unknown key; is a space missing after its colon?'],
])('in %j the key %j: %s', (parent, key, expected) => {
  expect(message(key, parent === '' ? [] : parent.split('.'))).toContain(expected);
});

test('suggests a similar key even if it is stated, but a key with a common word only if it is not', () => {
  expect(message('password', ['users', 'c'], ['passwordHash', 'password'])).toBe(
    'unknown key; did you mean passwordHashFile?',
  );
  expect(message('emial', ['users', 'c'], ['email', 'emial'])).toBe('unknown key; did you mean email?');
});

test('paths may contain positions in lists', () => {
  expect(message('platform', ['identity', 'oidc', 0])).toBe('unknown key here; it belongs under identity');
});
