import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificates } from '../../test/support/redis-tls.ts';
import { limits } from '../base/index.ts';
import { Secret } from './secret.ts';
import { printed, problemsOf, readText } from './testing/read-text.ts';

const byDefault = {
  outboxKeep: limits.outboxKeepMs,
  outboxKeepBytes: limits.outboxKeepBytes,
  outboxMax: limits.outboxBytesMax,
  minReplicas: 0,
  allowEviction: false,
  besideWave: false,
};

const directory = mkdtempSync(join(tmpdir(), 'tonnage-pem-'));
/** A private key, its certificate, the certificate of its authority, and the private key of the authority, in PEM. */
const pem: Record<string, string> = {};
beforeAll(async () => {
  const files = await makeCertificates(directory);
  pem['ca'] = readFileSync(files.ca, 'utf8');
  pem['cert'] = readFileSync(files.cert, 'utf8');
  pem['key'] = readFileSync(files.key, 'utf8');
  pem['other'] = readFileSync(join(directory, 'ca.key'), 'utf8');
});
afterAll(() => rmSync(directory, { recursive: true }));

const redis = (keys: string): string => `store: { driver: redis, ${keys} }`;

/** The value with its secrets revealed, so that it can be compared. */
function revealed(value: unknown): unknown {
  if (value instanceof Secret) return value.reveal();
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revealed(inner)]));
}

test('by default totals are in the data directory', () => {
  expect(readText('').store).toEqual({ driver: 'sqlite' });
});

describe('a Redis', () => {
  test.each([
    ['by its URL', 'url: "redis://h"', { url: 'redis://h' }],
    ['by a URL in a file', 'urlFile: url', { url: 'rediss://:hunter2@h' }],
    ['by a URL in a variable', 'url: "${URL}"', { url: 'redis://:hunter2@v' }],
    [
      'by Sentinels',
      'sentinel: { name: main, addresses: ["[::1]:26379", s.example.org:1] }',
      { sentinel: { name: 'main', addresses: [at('::1', 26_379), at('s.example.org', 1)] } },
    ],
    [
      'by Sentinels with credentials of their own',
      'sentinel: { name: m, addresses: [s:1], username: su, passwordFile: p }, username: u, password: p2',
      {
        sentinel: { name: 'm', addresses: [at('s', 1)], username: 'su', password: 'hunter2' },
        username: 'u',
        password: 'p2',
      },
    ],
    ['by nodes of a Cluster', 'cluster: [127.0.0.1:7000]', { cluster: [at('127.0.0.1', 7000)] }],
    [
      'with a user whose password the URL does not have',
      'url: "redis://u@h", passwordFile: p',
      { url: 'redis://u@h', password: 'hunter2' },
    ],
    ['with TLS', 'cluster: [a:1], tls: true', { cluster: [at('a', 1)], tls: {} }],
    [
      'with settings of TLS',
      'cluster: [a:1], tls: { servername: Redis.example.org, caFile: ca, certFile: cert, keyFile: key }',
      { cluster: [at('a', 1)], tls: 'pem' },
    ],
    [
      'with an outbox of its own size',
      'url: "redis://h", outboxKeep: 12h, outboxKeepBytes: 10MiB, outboxMax: 2TiB, minReplicas: 2, allowEviction: true, besideWave: true',
      {
        url: 'redis://h',
        outboxKeep: 12 * 3_600_000,
        outboxKeepBytes: 10 * 2 ** 20,
        outboxMax: 2 * 2 ** 40,
        minReplicas: 2,
        allowEviction: true,
        besideWave: true,
      },
    ],
  ])('%s', (_title, keys, expected) => {
    const secrets = { url: 'rediss://:hunter2@h\n', p: 'hunter2\n', ...pem };
    const config = readText(redis(keys), { secrets, environment: { URL: 'redis://:hunter2@v' } });
    // The final newline of a file is not part of the secret.
    const of = (name: string) => pem[name]?.replace(/\n$/, '');
    const tls = { ca: of('ca'), cert: of('cert'), key: of('key'), servername: 'redis.example.org' };
    const withPem = { ...expected, ...('tls' in expected && expected.tls === 'pem' && { tls }) };
    expect(revealed(config.store)).toEqual({ driver: 'redis', ...byDefault, ...withPem });
  });
});

function at(host: string, port: number): object {
  return { host, port };
}

describe('variables', () => {
  test('set single values and files of secrets, whose paths are relative to the working directory', () => {
    const asked: string[] = [];
    const config = readText(redis('url: "redis://h", tls: { servername: a }'), {
      environment: {
        TONNAGE_STORE_URL: 'rediss://h',
        TONNAGE_STORE_PASSWORD_FILE: 'p',
        TONNAGE_STORE_TLS: 'true',
        TONNAGE_STORE_MIN_REPLICAS: '1',
        TONNAGE_STORE_BESIDE_WAVE: 'true',
        TONNAGE_USAGE_HASH_KEY: '${NOT} a reference',
        TONNAGE_USAGE_DEDUPE_DAYS: '7',
      },
      readSecret: (file, from) => {
        asked.push(`${from}/${file}`);
        return 'hunter2\n';
      },
    });
    expect(asked).toEqual(['/srv/p']);
    expect(revealed(config.store)).toMatchObject({
      url: 'rediss://h',
      password: 'hunter2',
      // `true` adds nothing to the map of the file.
      tls: { servername: 'a' },
      minReplicas: 1,
      besideWave: true,
    });
    expect(revealed(config.usage)).toMatchObject({ hashKey: '${NOT} a reference', dedupeDays: 7 });
  });

  test.each([
    [
      { TONNAGE_STORE_MIN_REPLICAS: '2' },
      'TONNAGE_STORE_MIN_REPLICAS: store.minReplicas: expected store.driver "redis"',
    ],
    [{ TONNAGE_STORE_DRIVER: 'redis' }, 'TONNAGE_STORE_DRIVER: store: expected url, urlFile, sentinel or cluster'],
    [
      { TONNAGE_STORE_DRIVER: 'redis', TONNAGE_STORE_URL: 'h:hunter2' },
      'TONNAGE_STORE_URL: store.url: expected a URL such as "redis://HOST:PORT/DATABASE"',
    ],
    [
      { TONNAGE_USAGE_HASH_KEY_FILE: 'nope' },
      'TONNAGE_USAGE_HASH_KEY_FILE: usage.hashKeyFile: "nope" cannot be read: there is no such file or directory',
    ],
    [
      { TONNAGE_USAGE_HASH_KEY: '0123456789abcdef', TONNAGE_USAGE_HASH_KEY_FILE: 'nope' },
      'TONNAGE_USAGE_HASH_KEY_FILE: usage.hashKeyFile: expected hashKey or hashKeyFile, but came both',
    ],
    [
      { TONNAGE_STORE_CLUSTER: 'a:1' },
      'variables set single values only, so set store.cluster in a configuration file',
    ],
  ])('%j', (environment, expected) => {
    const [problem, ...more] = problemsOf(undefined, { environment });
    expect(problem).toContain(expected);
    expect(problem).not.toContain('hunter2');
    expect(more).toEqual([]);
  });
});

describe('the error for keys that do not go together is one line without secrets', () => {
  test.each([
    [
      'store: { url: "redis://:hunter2@h" }',
      'c.yaml:1:10: store.url: expected store.driver "redis", because only redis has this key, but it is missing',
    ],
    [
      'store: { driver: sqlite, outboxKeep: 1h }',
      'store.outboxKeep: expected store.driver "redis", because only redis has this key, but it is "sqlite"',
    ],
    ['store: { driver: sqlite, tls: true }', 'store.tls: expected store.driver "redis"'],
    [
      'usage: { dedupe: shared }',
      'usage.dedupe: expected "instance", because store.driver is not "redis", but came "shared"',
    ],
    [
      'store: { driver: redis }',
      'c.yaml:1:1: store: expected url, urlFile, sentinel or cluster with driver "redis", but all are missing',
    ],
    [
      redis('url: "redis://h", cluster: [a:1]'),
      'store.cluster: expected one of url, sentinel and cluster, but came url and cluster',
    ],
    [
      redis('url: "redis://h", username: u'),
      'store.username: expected password or passwordFile with username, but both are missing',
    ],
    [
      redis('url: "redis://u@h"'),
      'store.url: expected a password for the user of the URL, in it or as password or passwordFile',
    ],
    [
      redis('sentinel: { name: m, addresses: [a:1], username: u }'),
      'store.sentinel.username: expected password or passwordFile',
    ],
    [
      redis('url: "redis://h", tls: true'),
      'store.tls: expected a url that begins with "rediss://" with tls, but it begins with "redis://"',
    ],
    [redis('url: "unix:///run/r", tls: {}'), 'but it begins with "unix://"'],
    [
      redis('cluster: [a:1], tls: { certFile: cert }'),
      'store.tls.cert: expected key or keyFile with cert, but both are missing',
    ],
    [
      redis('cluster: [a:1], tls: { keyFile: key }'),
      'store.tls.key: expected cert or certFile with key, but both are missing',
    ],
    [
      redis('cluster: [a:1], tls: { certFile: cert, keyFile: other }'),
      'store.tls.key: expected the private key of cert, but came another one',
    ],
    [
      redis('url: "redis://h", outboxMax: 512MiB'),
      'store.outboxMax: expected more than the "1GiB" of store.outboxKeepBytes, but came "512MiB"',
    ],
    [
      redis('url: "redis://h", outboxKeepBytes: 4GiB'),
      'store.outboxKeepBytes: expected less than the "4GiB" of store.outboxMax, but came "4GiB"',
    ],
    ['usage: { detailDays: 34 }', 'usage.detailDays: expected at least the 35 days of usage.dedupeDays, but came 34'],
    [
      'usage: { detailDays: 40, dedupeDays: 41 }',
      'usage.detailDays: expected at least the 41 days of usage.dedupeDays, but came 40',
    ],
  ])('%s', (text, expected) => {
    const [problem, ...more] = problemsOf(text, { secrets: pem });
    expect(problem).toContain(expected);
    expect(problem).not.toContain('hunter2');
    expect(more).toEqual([]);
  });
});

describe('the error for an invalid value is one line without secrets', () => {
  test.each([
    ['store: { driver: radis, url: "redis://h" }', 'store.driver: expected "sqlite" or "redis", but came "radis"'],
    ['store: { driver: radis }\nusage: { dedupe: shared }', 'store.driver: expected "sqlite" or "redis"'],
    ['usage: { dedupeDays: 0, detailDays: 2 }', 'usage.dedupeDays: expected a whole number from 1 to 366, but came 0'],
    ['usage: { dedupeDays: 367 }', 'expected a whole number from 1 to 366, but came 367'],
    ['usage: { dedupeDays: 35d }', 'expected a whole number from 1 to 366, but came "35d"'],
    ['usage: { detailDays: 1.5 }', 'usage.detailDays: expected a whole number from 1 to 36600, but came 1.5'],
    [
      redis('url: "redis://h", outboxKeepBytes: 1GB, outboxMax: 1MiB'),
      'store.outboxKeepBytes: expected a size such as',
    ],
    ['usage: { dedupe: both }', 'usage.dedupe: expected "instance" or "shared", but came "both"'],
    ['usage: { hashKey: hunter2 }', 'usage.hashKey: expected a text of at least 16 bytes'],
    [redis('url: "http://hunter2"'), 'store.url: expected a URL such as'],
    [redis('urlFile: "redis://:hunter2@h"'), 'store.urlFile: "***@h" cannot be read'],
    [redis('cluster: []'), 'store.cluster: expected at least one address, but came an empty list'],
    [
      redis('cluster: ["redis://:hunter2@h"]'),
      'store.cluster[0]: expected HOST:PORT or [IPV6]:PORT (from 1 to 65535), but came "***@h"',
    ],
    [redis('cluster: "redis://:hunter2@h"'), 'store.cluster: expected a list, but came a string'],
    [redis('sentinel: { addresses: [a:1] }'), 'store.sentinel.name: expected the name of a primary, but it is missing'],
    [redis('sentinel: { name: m, addresses: [a] }'), 'store.sentinel.addresses[0]: expected HOST:PORT'],
    [redis('sentinel: hunter2'), 'store.sentinel: expected a map of settings, but came a string'],
    [redis('cluster: [a:1], tls: hunter2'), 'store.tls: expected true or a map of settings, but came a string'],
    [redis('cluster: [a:1], tls: false'), 'store.tls: expected true or a map of settings, but came false'],
    [redis('cluster: [a:1], tls: { ca: hunter2 }'), 'store.tls.ca: expected one or more certificates in PEM'],
    [
      redis('cluster: [a:1], tls: { cert: "-----BEGIN CERTIFICATE-----hunter2" }'),
      'store.tls.cert: expected one or more',
    ],
    [redis('cluster: [a:1], tls: { certFile: cert, key: hunter2 }'), 'store.tls.key: expected a private key in PEM'],
    [redis('cluster: [a:1], tls: { caFile: "-----BEGIN PRIVATE KEY-----hunter2" }'), '"-----BEGIN ***" cannot be read'],
    [redis('cluster: [a:1], tls: { servername: 127.0.0.1 }'), 'store.tls.servername: expected the name of a host'],
    [redis('url: "redis://h", username: u, password: ""'), 'store.password: expected a password'],
    [
      redis('url: "redis://h", minReplicas: -1'),
      'store.minReplicas: expected a whole number from 0 to 1000, but came -1',
    ],
    [redis('url: "redis://h", outboxKeep: 400d'), 'store.outboxKeep: expected a duration such as'],
    [redis('url: "redis://h", outboxKeepBytes: 1GB'), 'store.outboxKeepBytes: expected a size such as'],
    [
      redis('url: "redis://h", outboxMax: 1023KiB'),
      'expected a size such as "512KiB", "64MiB" or "50GiB", at least 1MiB',
    ],
  ])('%s', (text, expected) => {
    const [problem, ...more] = problemsOf(text, { secrets: pem });
    expect(problem).toContain(expected);
    expect(problem).not.toContain('hunter2');
    expect(more).toEqual([]);
  });
});

describe('reading what was printed gives the same configuration', () => {
  test.each([
    ['a Cluster', redis('cluster: ["[::1]:7000", b:7001], tls: true, minReplicas: 1, outboxKeep: 90m')],
    [
      'Sentinels',
      redis('sentinel: { name: m, addresses: [a:1] }, tls: { servername: r.example.org }, besideWave: true'),
    ],
    ['sharing', `${redis('cluster: [a:1]')}\nusage: { dedupe: shared, dedupeDays: 7, detailDays: 9 }`],
    ['sizes', redis('cluster: [a:1], outboxKeepBytes: 0B, outboxMax: 1500KiB, allowEviction: true')],
  ])('%s', (_title, text) => {
    const config = readText(text);
    expect(readText(printed(config))).toEqual(config);
  });
});

test('all secrets are printed as masks', () => {
  const keys =
    'sentinel: { name: m, addresses: [a:1], passwordFile: s }, password: hunter2, tls: { caFile: ca, certFile: cert, keyFile: key }';
  const text = `${redis(keys)}\nusage: { hashKey: hunter2hunter2hunter2 }`;
  const secrets = { s: 'hunter2', ...pem };
  for (const stated of [text, redis('url: "redis://u:hunter2@h"')]) {
    const config = readText(stated, { secrets });
    for (const shown of [printed(config), JSON.stringify(config)]) {
      expect(shown).not.toContain('hunter2');
      expect(shown).not.toContain('BEGIN');
      expect(shown).toContain('***');
    }
  }
  expect(printed(readText(text, { secrets }))).toContain('hashKey: "***"');
});
