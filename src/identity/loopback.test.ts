import { expect, test } from 'vitest';
import { isLoopbackAddress, isLoopbackHost } from './loopback.ts';

test.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1'])(
  '%s is loopback',
  (host) => {
    expect(isLoopbackAddress(host)).toBe(true);
  },
);

test.each(['0.0.0.0', '::', '10.0.0.1', '127.0.0', '127.0.0.1.example.org', 'localhost.example.org', '1127.0.0.1', ''])(
  '%s is not',
  (host) => {
    expect(isLoopbackAddress(host)).toBe(false);
  },
);

test.each([
  'localhost',
  'localhost:8080',
  'LocalHost:8080',
  '127.0.0.1',
  '127.0.0.1:80',
  '127.255.255.254:1',
  '[::1]',
  '[::1]:8080',
])('Host: %s names this machine', (header) => {
  expect(isLoopbackHost(header)).toBe(true);
});

test.each([
  undefined,
  '',
  'example.org',
  'localhost.example.org',
  '127.0.0.1.nip.io:8080',
  'localhost:8080:1',
  'user@localhost',
  'localhost:x',
  '::1',
  '[::1',
  '[::2]:80',
  '[localhost]',
  '0.0.0.0:8080',
  '128.0.0.1',
  '2130706433',
  ' localhost',
])('Host: %s does not name this machine', (header) => {
  expect(isLoopbackHost(header)).toBe(false);
});
