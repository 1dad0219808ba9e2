import { describe, expect, test } from 'vitest';
import { parseCertificates, parsePrivateKey } from './certificates.ts';
import { parseServer, parseServerName, redisUrlParts } from './redis.ts';

describe('URLs of a Redis', () => {
  test.each([
    ['redis://h', { scheme: 'redis', hasUser: false, hasPassword: false }],
    ['redis://h:6380/', { scheme: 'redis', hasUser: false, hasPassword: false }],
    ['redis://:p%40ss@[::1]:1/7', { scheme: 'redis', hasUser: false, hasPassword: true }],
    ['rediss://u:p@h', { scheme: 'rediss', hasUser: true, hasPassword: true }],
    ['redis://u@h', { scheme: 'redis', hasUser: true, hasPassword: false }],
    ['unix:///run/redis.sock', { scheme: 'unix', hasUser: false, hasPassword: false }],
  ])('%s', (url, expected) => {
    expect(redisUrlParts(url)).toEqual(expected);
  });

  test.each([
    '',
    'h:6379',
    'http://h',
    'redis:h',
    'redis:///1',
    'redis://h:0',
    'redis://h:65536',
    'redis://h/one',
    'redis://h/1/2',
    'redis://h?x',
    'redis://h#x',
    'redis://h h',
    ' redis://h',
    'redis://h\n',
    'redis://:p%zz@h',
    'redis://%:41@h',
    'unix://h/x',
    'unix:///',
    'unix://u:p@/x',
  ])('%j is not the URL of a Redis', (url) => {
    expect(redisUrlParts(url)).toBeUndefined();
  });
});

test.each([
  ['h:1', { host: 'h', port: 1 }],
  ['H.Example.org:65535', { host: 'h.example.org', port: 65_535 }],
  ['[::1]:26379', { host: '::1', port: 26_379 }],
  ['h', undefined],
  ['6379', undefined],
  ['h:0', undefined],
  ['h:65536', undefined],
  ['::1:1', undefined],
  ['1.2.3:1', undefined],
  ['u:p@h:1', undefined],
])('the server %s', (text, expected) => {
  expect(parseServer(text)).toEqual(expected);
});

test.each([
  ['Redis.Example.org', 'redis.example.org'],
  ['127.0.0.1', undefined],
  ['::1', undefined],
  ['h:1', undefined],
  ['', undefined],
])('the server name %j', (text, expected) => {
  expect(parseServerName(text)).toBe(expected);
});

test.each([
  ['nothing', ''],
  ['no certificate inside', '-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n'],
  ['something else', '-----BEGIN PUBLIC KEY-----\naGVsbG8=\n-----END PUBLIC KEY-----\n'],
])('%s is neither certificates nor a key', (_title, text) => {
  expect(parseCertificates(text)).toBeUndefined();
  expect(parsePrivateKey(text)).toBeUndefined();
});
