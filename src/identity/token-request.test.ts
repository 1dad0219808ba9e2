import { describe, expect, test } from 'vitest';
import { checkTokenRequest, type TokenRequest } from './token-request.ts';

const now = Date.parse('2026-11-21T00:00:00Z');

describe('a token request without options', () => {
  test.each([
    [{ kind: 'api' }, { kind: 'api', rights: ['pull', 'query'] }],
    [{ kind: 'path' }, { kind: 'path', rights: ['pull'] }],
    [
      { kind: 'api', email: 'Alice@Example.org' },
      { kind: 'api', email: 'Alice@Example.org', org: 'example.org', rights: ['pull', 'query'] },
    ],
    [
      { kind: 'api', email: 'alice@example.org', org: 'Other.org', rights: ['admin', 'pull'] },
      { kind: 'api', email: 'alice@example.org', org: 'other.org', rights: ['pull', 'admin'] },
    ],
    [
      { kind: 'api', debusineScope: 'debian' },
      { kind: 'api', debusineScope: 'debian', rights: ['query'] },
    ],
    [
      { kind: 'api', debusineScope: '日本 ☃ é{x="y",}', rights: ['query', 'query'], name: 'farm' },
      { kind: 'api', debusineScope: '日本 ☃ é{x="y",}', rights: ['query'], name: 'farm' },
    ],
    [
      { kind: 'api', debusineScope: '𝔘'.repeat(255) },
      { kind: 'api', debusineScope: '𝔘'.repeat(255), rights: ['query'] },
    ],
  ] as const)('%j', (wish, granted) => {
    expect(checkTokenRequest(wish, now)).toEqual(granted);
  });
});

describe('an invalid token request', () => {
  test.each<[string, Partial<TokenRequest>, string]>([
    ['an organisation that is none', { org: 'a b' }, 'org: expected an organisation such as example.org, got "a b"'],
    [
      'an organisation with the Kelvin sign',
      { org: '\u212a.example' },
      'org: expected an organisation such as example.org',
    ],
    ['an empty organisation', { org: '' }, 'org: expected an organisation such as example.org, got ""'],
    ['an e-mail address that is none', { email: 'alice' }, 'email: expected an e-mail address, got "alice"'],
    ['no rights', { rights: [] }, 'rights: expected some of pull, query, ingest, admin, got ""'],
    [
      'an unknown right',
      { rights: ['pull', 'push'] },
      'rights: expected some of pull, query, ingest, admin, got "push"',
    ],
    [
      'a path token that queries',
      { kind: 'path', rights: ['pull', 'query'] },
      'rights: expected only pull for a path token, because it is visible in URLs, got "pull,query"',
    ],
    ['a name that moves the cursor', { name: 'a\u001b[1m' }, 'name: expected 1 to 100 visible characters'],
    ['an empty name', { name: '' }, 'name: expected 1 to 100 visible characters'],
    [
      'one that has ended',
      { expiresAt: now },
      'expiresAt: expected a time in the future, got "2026-11-21T00:00:00.000Z"',
    ],
    ['an empty scope', { scope: [] }, 'scope: expected 1 to 100 repositories, got 0'],
    [
      'a scope with a star inside',
      { scope: ['a/*/b'] },
      'scope: expected repositories such as docker.io/library/alpine',
    ],
    ['an empty Debusine scope', { debusineScope: '' }, 'debusineScope: expected 1 to 255 visible characters, got ""'],
    ['a Debusine scope of two lines', { debusineScope: 'a\nb' }, 'debusineScope: expected 1 to 255 visible characters'],
    ['half a character', { debusineScope: 'a\ud83d' }, 'debusineScope: expected 1 to 255 visible characters'],
    [
      'a long Debusine scope',
      { debusineScope: 'é'.repeat(256) },
      'debusineScope: expected 1 to 255 visible characters',
    ],
    [
      'a path token with a Debusine scope',
      { kind: 'path', debusineScope: 'debian' },
      'debusineScope: expected an API token with the right query and no scope of repositories, got a path token',
    ],
    [
      'both kinds of scope',
      { scope: ['lab/a'], debusineScope: 'debian' },
      'debusineScope: expected an API token with the right query and no scope of repositories, got a scope of repositories',
    ],
    [
      'a Debusine scope with another right',
      { debusineScope: 'debian', rights: ['query', 'admin'] },
      'debusineScope: expected an API token with the right query and no scope of repositories, got "query,admin"',
    ],
    [
      'a Debusine scope without rights',
      { debusineScope: 'debian', rights: [] },
      'debusineScope: expected an API token',
    ],
    ['a scope of everything', { scope: ['*'] }, 'scope: expected repositories such as docker.io/library/alpine'],
  ])('%s', (_, wish, message) => {
    expect(() => checkTokenRequest({ kind: 'api', ...wish }, now)).toThrow(message);
  });
});
