import { describe, expect, it } from 'vitest';
import { systemClock } from '../base/index.ts';
import { parseRedisUrl, settingsOf } from './options.ts';
import type { RedisLinkOptions } from './types.ts';

const silent = () => undefined;
const rest = { clock: systemClock, log: { debug: silent, info: silent, warn: silent, error: silent } };
const redis = (url: string) => ({ mode: 'standalone', url, ...rest }) as const;
const node = { host: 'a', port: 1 };

describe('the address of a Redis', () => {
  it.each([
    ['redis://h', { endpoint: { host: 'h', port: 6379 }, secure: false }],
    ['rediss://h:1/', { endpoint: { host: 'h', port: 1 }, secure: true }],
    ['redis://[::1]:1/7', { endpoint: { host: '::1', port: 1 }, secure: false, database: 7 }],
    ['redis://:p%40ss@h', { endpoint: { host: 'h', port: 6379 }, secure: false, password: 'p@ss' }],
    ['redis://u:p@h', { endpoint: { host: 'h', port: 6379 }, secure: false, username: 'u', password: 'p' }],
    ['unix:///run/redis.sock', { endpoint: { path: '/run/redis.sock' }, secure: false }],
  ])('%s is read', (url, expected) => {
    expect(parseRedisUrl(url)).toEqual(expected);
  });
});

describe('invalid options', () => {
  it.each<[string, RedisLinkOptions, string]>([
    ['another scheme', redis('http://u:secret@h'), 'begins with redis://'],
    ['no address', redis('secret'), 'begins with redis://'],
    ['no host', redis('redis:///1'), 'names no host'],
    ['no database', redis('redis://u:secret@h/one'), 'number of a database'],
    ['a broken escape', redis('redis://:secret%zz@h'), 'hexadecimal'],
    ['a query', redis('redis://h?secret'), 'without ?'],
    ['a socket on another host', redis('unix://secret/x'), 'unix:///path'],
    ['TLS options without TLS', { ...redis('redis://h'), tls: { ca: 'secret' } }, 'rediss://'],
    ['half a client certificate', { ...redis('rediss://h'), tls: { key: 'secret' } }, 'both cert and key'],
    ['a user without a password', redis('redis://u@h'), 'the Redis user u has no password'],
    ['a fraction of a database', { ...redis('redis://h'), database: 0.5 }, 'not 0.5'],
    ['no time for an answer', { ...redis('redis://h'), commandTimeoutMs: 0 }, 'commandTimeoutMs'],
    ['no Sentinels', { mode: 'sentinel', sentinels: [], name: 'n', ...rest }, 'at least one address'],
    ['no name', { mode: 'sentinel', sentinels: [node], name: '', ...rest }, 'name of the primary'],
    ['no port', { mode: 'cluster', nodes: [{ host: 'a', port: 0 }], ...rest }, 'not a:0'],
    ['a database of a Cluster', { mode: 'cluster', nodes: [node], database: 1, ...rest }, 'not 1'],
  ])('%s: said, and without what may be a secret', (_, options, message) => {
    const caught = caughtFrom(options);
    expect(caught).toMatchObject({ code: 'config_invalid' });
    expect(caught).toMatchObject({ message: expect.stringContaining(message) });
    expect(caught).not.toMatchObject({ message: expect.stringContaining('secret') });
  });
});

function caughtFrom(options: RedisLinkOptions): unknown {
  try {
    return settingsOf(options);
  } catch (error) {
    return error;
  }
}
