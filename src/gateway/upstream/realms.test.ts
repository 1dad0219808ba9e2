import { expect, it } from 'vitest';

import { mayHaveCredentials } from './realms.ts';

const may = (realm: string, origin: string, stated: readonly string[] = []): boolean =>
  mayHaveCredentials(new URL(realm), new URL(origin), stated);

it.each([
  ['https://registry.example.org/token', 'https://registry.example.org'],
  ['https://auth.example.org/token', 'https://registry.example.org'],
  ['https://example.org/jwt/auth', 'https://registry.example.org'],
  ['https://auth.example.co.uk/', 'https://registry.example.co.uk'],
  ['https://auth.example.org:8443/', 'https://registry.example.org:5000'],
  ['https://auth.docker.io/token', 'https://registry-1.docker.io'],
  ['https://AUTH.Example.org/', 'https://registry.example.org'],
  ['https://auth.example.org./', 'https://registry.example.org'],
  ['http://auth.example.org/', 'http://registry.example.org'],
  ['https://auth.example.org/', 'http://registry.example.org'],
  ['http://127.0.0.1:5000/token', 'http://127.0.0.1:5000'],
  ['http://localhost:5000/token', 'http://localhost:5000'],
  ['https://a.registry.corp/', 'https://b.registry.corp'],
])('%s may receive the credentials of %s', (realm, origin) => {
  expect(may(realm, origin)).toBe(true);
});

it.each([
  ['https://evil.example/token', 'https://registry.example.org'],
  ['https://registry.example.org.evil.example/', 'https://registry.example.org'],
  ['https://evilexample.org/', 'https://example.org'],
  ['https://other.co.uk/', 'https://registry.co.uk'],
  ['https://mallory.github.io/', 'https://alice.github.io'],
  ['https://auth.corp/', 'https://registry.corp'],
  ['http://registry.example.org/token', 'https://registry.example.org'],
  ['http://127.0.0.1:5001/token', 'http://127.0.0.1:5000'],
  ['http://127.0.0.2:5000/token', 'http://127.0.0.1:5000'],
  ['http://localhost:5001/token', 'http://localhost:5000'],
  ['http://[::1]:5001/token', 'http://[::1]:5000'],
  ['https://org/', 'https://registry.org'],
])('%s may not receive the credentials of %s', (realm, origin) => {
  expect(may(realm, origin)).toBe(false);
});

it('a configured origin may receive them, but not over plain http', () => {
  const stated = ['https://auth.example.com', 'http://auth.example.com'];
  expect(may('https://auth.example.com/token', 'https://registry.example.org', stated)).toBe(true);
  expect(may('https://auth.example.com:444/token', 'https://registry.example.org', stated)).toBe(false);
  expect(may('http://auth.example.com/token', 'https://registry.example.org', stated)).toBe(false);
  expect(may('http://auth.example.com/token', 'http://127.0.0.1:5000', stated)).toBe(true);
});
