import { describe, expect, test } from 'vitest';
import { limits } from '../base/index.ts';
import type { Config } from './schema.ts';
import { Secret } from './secret.ts';
import { readText } from './testing/read-text.ts';

const portOf = (metrics: Config['metrics']): number | undefined =>
  metrics === false ? undefined : metrics.listen.port;
const hash = `sha256:${'0a'.repeat(32)}`;

describe('defaults', () => {
  test('without a file the listener stays on a loopback address', () => {
    expect(readText(undefined).listen).toEqual({ host: '127.0.0.1', port: 8080 });
  });

  test('an empty file is a complete configuration', () => {
    const config = readText('');
    expect(config).toMatchObject({
      listen: { host: '0.0.0.0', port: 8080 },
      data: '/srv/data',
      timeZone: 'UTC',
      gateway: { defaultUpstream: 'docker.io', anonymous: true, fusionEntrypoint: '/usr/bin/fusion' },
      store: { driver: 'sqlite' },
      usage: { dimensions: ['org', 'arch', 'upstream', 'repository'], durability: 'strict' },
      users: [],
      log: { level: 'info', access: false },
    });
    expect(config.metrics).toBe(false);
    expect(config.upstreams.map(({ name }) => name)).toEqual([
      'docker.io',
      'ghcr.io',
      'quay.io',
      'registry.k8s.io',
      'mcr.microsoft.com',
      'gcr.io',
      'public.ecr.aws',
    ]);
  });

  test('by default a meter counts events without a unit, by the member quantity', () => {
    expect(readText('usage: { meters: { m: { eventType: e } } }').usage.meters).toEqual([
      { name: 'm', eventType: 'e', quantity: 'quantity', unit: '1' },
    ]);
  });

  test('the largest quantities are the named limits by default, and can be stated by unit', () => {
    const { eventQuantityMax, eventQuantityBytesMax, eventQuantitySecondsMax } = limits;
    const defaults = { '1': eventQuantityMax, By: eventQuantityBytesMax, s: eventQuantitySecondsMax };
    expect(readText('').usage.quantityMax).toEqual(defaults);
    const text = 'usage: { meters: { m: { eventType: e, unit: kW.h } }, quantityMax: { 1: 7, s: 1d, kW.h: 9 } }';
    expect(readText(text).usage.quantityMax).toEqual({ ...defaults, '1': 7, s: 86_400, 'kW.h': 9 });
  });

  test('the default durations are the named limits', () => {
    const config = readText('');
    expect(config.gateway.factsWait).toBe(limits.factsWaitMsMax);
    expect(config.usage.commitWait).toBe(limits.commitWaitMsMax);
    expect(config.shutdownTimeout).toBe(limits.shutdownMsMax);
  });

  test('the configuration is frozen to its leaves', () => {
    const config = readText('users: { a: { passwordHash: "' + hash + '" } }');
    const unfrozen = (value: unknown): boolean =>
      typeof value === 'object' && value !== null && (!Object.isFrozen(value) || Object.values(value).some(unfrozen));
    expect(unfrozen(config)).toBe(false);
  });
});

describe('precedence: flags over environment over file over defaults', () => {
  const defaults = { listen: '127.0.0.1:1', metrics: '127.0.0.1:2112' };
  const file = 'listen: 127.0.0.1:2\nmetrics: 127.0.0.1:3\ndata: in-file';
  const environment = { TONNAGE_LISTEN: '127.0.0.1:4', TONNAGE_METRICS: '5', TONNAGE_DATA: 'in-environment' };
  const flags = { port: 6, metrics: 'false', data: 'in-flags' };

  test.each([
    ['defaults', undefined, {}, {}, '127.0.0.1:1', 2112, '/srv/data'],
    ['file', file, {}, {}, '127.0.0.1:2', 3, '/etc/tonnage/in-file'],
    ['environment', file, environment, {}, '127.0.0.1:4', 5, '/srv/in-environment'],
    ['flags', file, environment, flags, '127.0.0.1:6', undefined, '/srv/in-flags'],
  ])('%s', (_layer, text, variables, given, listen, metricsPort, data) => {
    const config = readText(text, { defaults, environment: variables, flags: given });
    expect(`${config.listen.host}:${config.listen.port}`).toBe(listen);
    expect(portOf(config.metrics)).toBe(metricsPort);
    expect(config.data).toBe(data);
  });

  test('--host and --port each override their part of listen', () => {
    expect(readText('listen: :7', { flags: { host: 'localhost' } }).listen).toEqual({ host: 'localhost', port: 7 });
    expect(readText('listen: :7', { flags: { port: 8 } }).listen).toEqual({ port: 8 });
    expect(readText('listen: "[::1]:7"', { flags: { host: 'localhost' } }).listen).toEqual({
      host: 'localhost',
      port: 7,
    });
    expect(readText('listen: "[::1]:7"', { flags: { port: 0 } }).listen).toEqual({ host: '::1', port: 0 });
  });

  test('--url overrides the servers of store, and no other key of it', () => {
    const text = 'store: { driver: redis, sentinel: { name: m, addresses: ["s:1"] }, username: u, password: p }';
    const { store } = readText(text, {
      flags: { url: 'redis://h:1' },
      environment: { TONNAGE_STORE_URL: 'redis://i' },
    });
    expect(store).toMatchObject({ driver: 'redis', username: 'u', url: expect.any(Secret) });
    expect(store).not.toHaveProperty('sentinel');
    expect(store.driver === 'redis' && store.url?.reveal()).toBe('redis://h:1');
    expect(readText('store: { driver: sqlite }', { flags: { url: 'redis://h:1' } }).store.driver).toBe('redis');
    expect(readText(undefined, { flags: { url: 'redis://h:1' } }).store.driver).toBe('redis');
  });

  test('layers of metrics are merged key by key', () => {
    const config = readText('metrics: { orgs: true }', { environment: { TONNAGE_METRICS: '127.0.0.1:9' } });
    expect(config.metrics).toEqual({ listen: { host: '127.0.0.1', port: 9 }, access: 'public', orgs: true });
    const compatible = readText('metrics: { compat: ociregistry }', { flags: { metrics: '2112' } });
    expect(compatible.metrics).toEqual({ listen: { port: 2112 }, access: 'public', compat: 'ociregistry' });
  });
});

describe('an address without a host', () => {
  test.each(['listen: :443', 'listen: ":443"', 'listen: 443'])('%s is on all addresses', (text) => {
    expect(readText(text).listen).toEqual({ port: 443 });
  });

  test.each(['metrics: :443', 'metrics: { listen: :443 }', 'metrics:\n  listen: :443\n'])('%j too', (text) => {
    expect(readText(text).metrics).toMatchObject({ listen: { port: 443 } });
  });

  test('may come from a flag', () => {
    expect(readText(undefined, { flags: { metrics: ':443' } }).metrics).toMatchObject({ listen: { port: 443 } });
  });
});

describe('variables', () => {
  test.each([
    ['TONNAGE_GATEWAY_DEFAULT_UPSTREAM', 'ghcr.io', { gateway: { defaultUpstream: 'ghcr.io' } }],
    ['TONNAGE_USAGE_COMMIT_WAIT', '5s', { usage: { commitWait: 5_000 } }],
    ['TONNAGE_GATEWAY_FUSION_ENTRYPOINT', 'false', { gateway: { fusionEntrypoint: false } }],
    ['TONNAGE_LOG_ACCESS', 'true', { log: { access: true } }],
    ['TONNAGE_TIME_ZONE', 'Europe/Berlin', { timeZone: 'Europe/Berlin' }],
    ['TONNAGE_METRICS', '2112', { metrics: { listen: { port: 2112 } } }],
    ['TONNAGE_LISTEN', '8081', { listen: { port: 8081 } }],
    ['TONNAGE_METRICS', ':443', { metrics: { listen: { port: 443 } } }],
    ['TONNAGE_DATA', 'true', { data: '/srv/true' }],
  ])('%s=%s', (name, value, expected) => {
    expect(readText(undefined, { environment: { [name]: value } })).toMatchObject(expected);
  });

  test('reserved variables are no error', () => {
    const environment = {
      TONNAGE_TOKEN: 't',
      TONNAGE_TOKEN_FILE: 'f',
      TONNAGE_PASSWORD: 'p',
      TONNAGE_START: '1',
      PATH: '',
    };
    expect(() => readText(undefined, { environment })).not.toThrow();
  });
});

describe('references', () => {
  const upstream = (password: string): string =>
    `upstreams: { lab: { url: "http://lab", auth: { basic: { username: u, ${password} } } } }`;
  const passwordOf = (text: string, options: Parameters<typeof readText>[1]): string | undefined =>
    readText(text, options).upstreams[0]?.auth?.basic.password.reveal();

  test.each([
    ['a plain secret', 'password: hunter2', 'hunter2'],
    ['a variable', 'password: "${PASSWORD}"', 'from-environment'],
    ['a variable inside a text', 'password: "a-${PASSWORD}-${N}"', 'a-from-environment-1'],
    ['an escaped reference', 'password: "$${PASSWORD} $$ $x"', '${PASSWORD} $$ $x'],
    ['a file', 'passwordFile: one-newline', 'from-file'],
    ['a file named by a variable', 'passwordFile: "${FILE}"', 'from-file'],
    ['a file whose one newline too many is part of it', 'passwordFile: two-newlines', 'from-file\n'],
    ['a file from Windows', 'passwordFile: carriage-return', 'from-file'],
    ['a file is not searched for references', 'passwordFile: dollar', '${PASSWORD}'],
  ])('%s', (_title, key, expected) => {
    const secrets = {
      'one-newline': 'from-file\n',
      'two-newlines': 'from-file\n\n',
      'carriage-return': 'from-file\r\n',
      dollar: '${PASSWORD}',
    };
    const environment = { PASSWORD: 'from-environment', N: '1', FILE: 'one-newline' };
    expect(passwordOf(upstream(key), { secrets, environment })).toBe(expected);
  });

  test('a variable becomes the kind of value that its key takes', () => {
    const environment = { YES: 'true', PORT: '2112' };
    const config = readText('log: { access: "${YES}" }\nmetrics: "${PORT}"', { environment });
    expect(config.log.access).toBe(true);
    expect(portOf(config.metrics)).toBe(2112);
  });

  test('a variable in a text may be empty', () => {
    expect(readText('data: "x${EMPTY}"', { environment: { EMPTY: '' } }).data).toBe('/etc/tonnage/x');
  });
});

describe('upstreams', () => {
  test('replace the default list', () => {
    const config = readText('upstreams: { lab: { url: "http://127.0.0.1:5001" } }');
    expect(config.upstreams.map(({ name }) => name)).toEqual(['lab']);
    expect(config.gateway).not.toHaveProperty('defaultUpstream');
  });

  test('{} means none', () => {
    expect(readText('upstreams: {}').upstreams).toEqual([]);
  });

  test('that are hosts need no settings', () => {
    const config = readText('upstreams: { docker.io: {}, "localhost:5001": {}, r.example.org: { tagTtl: 5m } }');
    expect(config.upstreams).toEqual([
      {
        name: 'docker.io',
        url: 'https://registry-1.docker.io',
        aliases: ['index.docker.io', 'registry-1.docker.io'],
        tagTtl: 60_000,
        redirects: [],
      },
      { name: 'localhost:5001', url: 'https://localhost:5001', aliases: [], tagTtl: 60_000, redirects: [] },
      { name: 'r.example.org', url: 'https://r.example.org', aliases: [], tagTtl: 300_000, redirects: [] },
    ]);
  });

  test('may state hosts for redirects, which become as URLs have them', () => {
    const stated = ['Storage.Internal', '10.1.2.3:9000', '[FD00:0::1]', '[::1]:80', 'a.example:443'];
    const config = readText(`upstreams: { lab: { url: "http://lab", redirects: ${JSON.stringify(stated)} } }`);
    const expected = ['storage.internal', '10.1.2.3:9000', '[fd00::1]', '[::1]:80', 'a.example:443'];
    expect(config.upstreams[0]?.redirects).toEqual(expected);
  });

  test('may have an egress proxy, whose URL is a secret, or none', () => {
    const proxyOf = (stated: string) =>
      readText(`upstreams: { lab: { url: "http://lab", ${stated} } }`).upstreams[0]?.proxy;
    const proxy = proxyOf('proxy: "http://me:hunter2@proxy:3128"');
    expect(proxy && proxy.reveal()).toBe('http://me:hunter2@proxy:3128/');
    expect(proxyOf('proxy: false')).toBe(false);
    expect(proxyOf('tagTtl: 1s')).toBeUndefined();
  });

  test('may be the default by an alias', () => {
    const text = 'upstreams: { lab: { url: "http://lab", aliases: [test] } }\ngateway: { defaultUpstream: test }';
    expect(readText(text).gateway.defaultUpstream).toBe('lab');
  });
});

test('a user has the rights pull and query by default', () => {
  const text = `users: { b: { passwordHash: "${hash}" }, a: { passwordHash: "${hash}", rights: [admin, ingest], org: ACME } }`;
  const [first, second] = readText(text).users;
  expect(first).toMatchObject({ name: 'b', rights: ['pull', 'query'] });
  expect(second).toMatchObject({ name: 'a', rights: ['ingest', 'admin'], org: 'acme' });
  expect(first?.passwordHash.reveal()).toBe(hash);
});

test('dimensions are in a fixed order, each once', () => {
  expect(readText('usage: { dimensions: [arch, org, arch] }').usage.dimensions).toEqual(['org', 'arch']);
});
