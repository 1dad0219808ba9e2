import { once } from 'node:events';
import { request, type OutgoingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock, systemRandom } from '../base/index.ts';
import { Authentication, createStaticUsers, type Authenticator, type Principal } from '../identity/index.ts';
import { MetricSet } from '../metric/index.ts';
import { createAuthoriseScrape } from './admission.ts';
import { createForwardedReader } from './forwarded.ts';
import { createListener, createMetricsHandler, listen, textOnly, type Listener } from './index.ts';

/** Password `password`, in Wave's format. */
const passwordHash = 'sha256:5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8';
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

const tokens: Readonly<Record<string, Principal>> = {
  unbound: { subject: 'unbound', rights: new Set(['query']) },
  alpha: { subject: 'alpha', org: 'alpha.example', rights: new Set(['query']) },
  'alpha-admin': { subject: 'alpha-admin', org: 'alpha.example', rights: new Set(['query', 'admin']) },
  debusine: { subject: 'debusine', debusineScope: 'debian', rights: new Set(['query']) },
};
const bearer: Authenticator = {
  kind: 'lookup',
  authenticate: (given) => (given.scheme === 'bearer' ? tokens[given.token] : undefined),
};

let listener: Listener | undefined;
afterEach(async () => {
  await listener?.close(0);
  listener = undefined;
});

interface Setting {
  readonly organisationsFor?: 'all' | 'here' | 'none';
  /** Default: true. */
  readonly users?: boolean;
  /** Whether the listener has a loopback address, as configured. */
  readonly reach?: 'loopback' | 'open';
  /** Numbers of gatherings and refreshes. */
  readonly seen?: { gathered: number; refreshed: number };
  /** Wraps the handler. */
  readonly wrap?: typeof textOnly;
}

/** A metrics listener that requires credentials: of the users alice (query) and ci (ingest), or one of `tokens`. */
async function serve(setting: Setting = {}): Promise<void> {
  const { organisationsFor = 'here', users = true, reach = 'open', seen = { gathered: 0, refreshed: 0 } } = setting;
  const { wrap = (unchanged) => unchanged } = setting;
  const metrics = new MetricSet();
  const usage = metrics.counter({ name: 'test_usage', help: 'Usage.', labels: ['org', 'arch'] });
  usage.labels({ org: 'alpha.example', arch: 'amd64' }).inc(3);
  usage.labels({ org: 'beta.example', arch: 'amd64' }).inc(4);
  usage.labels({ org: 'gamma.example', arch: 'amd64' }).inc(6);
  usage.labels({ org: '', arch: 'amd64' }).inc(5);
  const full = metrics.counter({ name: 'test_full', help: 'Full fields.', labels: ['field'] });
  full.labels({ field: 'pulls/o/alpha.example/d/2026-01-01' }).inc(1);
  full.labels({ field: 'pulls/o/beta.example/d/2026-01-01' }).inc(2);
  full.labels({ field: 'pulls/d/2026-01-01' }).inc(4);
  const seconds = metrics.histogram({ name: 'test_seconds', help: 'Time.', labels: ['org'], buckets: [1] });
  seconds.labels({ org: 'alpha.example' }).observe(0.5);
  seconds.labels({ org: 'beta.example' }).observe(0.5);
  const stated = [
    { name: 'alice', passwordHash, rights: ['query'] as const },
    { name: 'ci', passwordHash, rights: ['ingest'] as const },
  ];
  const authentication = new Authentication({
    authenticators: users ? [createStaticUsers({ users: stated, log, random: systemRandom })] : [],
    issued: [bearer],
    anonymousPull: true,
    clock: systemClock,
    random: systemRandom,
    metrics: new MetricSet(),
  });
  const handler = createMetricsHandler({
    gather: () => {
      seen.gathered++;
      return metrics.gather();
    },
    refresh: async () => void seen.refreshed++,
    organisationsFor,
    authorise: createAuthoriseScrape({
      authentication,
      listener: reach,
      challenges: () => users,
      readForwarded: createForwardedReader([]),
    }),
    metrics: new MetricSet(),
    clock: systemClock,
    log,
  });
  listener = await listen(createListener(wrap(handler)), { host: '127.0.0.1', port: 0 });
}

const basic = (credentials: string): OutgoingHttpHeaders => ({
  authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
});
const token = (name: string): OutgoingHttpHeaders => ({ authorization: `Bearer ${name}` });

async function ask(headers: OutgoingHttpHeaders = {}, method = 'GET', path = '/metrics') {
  const asked = request(`${listener?.url}${path}`, { headers, method, agent: false }).end();
  const [response] = await once(asked, 'response');
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

/** Samples of the families that name organisations. */
async function samples(headers: OutgoingHttpHeaders): Promise<readonly string[]> {
  const { status, body } = await ask(headers);
  expect(status).toBe(200);
  return body
    .split('\n')
    .filter((line) => /^test_(usage|full|seconds_count)/.test(line))
    .toSorted();
}

describe('a metrics listener that requires credentials', () => {
  test('answers Basic and bearer credentials with the right query', async () => {
    await serve();
    for (const headers of [basic('alice:password'), token('unbound'), token('alpha')]) {
      expect((await ask(headers)).status).toBe(200);
      expect(await ask(headers, 'HEAD')).toMatchObject({ status: 200, body: '' });
    }
  });

  test.each<[string, OutgoingHttpHeaders, number, string]>([
    ['no credentials', {}, 401, 'unauthorized'],
    ['a wrong password', basic('alice:wrong'), 401, 'unauthorized'],
    ['an unknown user', basic('mallory:password'), 401, 'unauthorized'],
    ['empty credentials', basic(':'), 401, 'unauthorized'],
    ['a malformed header', { authorization: 'Basic !' }, 401, 'unauthorized'],
    ['an unknown token', token('nonsense'), 401, 'unauthorized'],
    ['credentials without the right query', basic('ci:password'), 403, 'forbidden'],
    ['a token that opens only the pages of Debusine sources', token('debusine'), 403, 'forbidden'],
    ['a page of another site', { ...token('unbound'), 'sec-fetch-site': 'cross-site' }, 403, 'forbidden'],
  ])('rejects %s', async (_title, headers, status, code) => {
    const seen = { gathered: 0, refreshed: 0 };
    await serve({ seen });
    const answer = await ask(headers);
    expect([answer.status, JSON.parse(answer.body)]).toEqual([status, expect.objectContaining({ code, status })]);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    const challenge = status === 401 ? 'Basic realm="Tonnage", charset="UTF-8"' : undefined;
    expect(answer.headers['www-authenticate']).toBe(challenge);
    expect(await ask(headers, 'HEAD')).toMatchObject({ status, body: '' });
    expect(seen).toEqual({ gathered: 0, refreshed: 0 });
  });

  test('makes clients wait that guess passwords, and says how long', async () => {
    await serve();
    let answer = await ask(basic('alice:wrong'));
    for (let count = 0; count < 60 && answer.status === 401; count++) answer = await ask(basic(`alice:wrong${count}`));
    expect(answer.status).toBe(429);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
  });

  test('needs none to say that a path or a method does not exist', async () => {
    await serve();
    expect((await ask({}, 'GET', '/')).status).toBe(404);
    expect((await ask({}, 'POST')).status).toBe(405);
  });

  test('does so too if it shows the metrics of Ociregistry, in their format', async () => {
    await serve({ wrap: textOnly });
    expect((await ask()).status).toBe(401);
    const { status, headers } = await ask({ ...token('unbound'), accept: 'application/openmetrics-text' });
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  });

  test('without users, requires them too, except on a loopback address under a loopback name, as the API does', async () => {
    await serve({ users: false });
    expect((await ask()).status).toBe(401);
    await listener?.close(0);
    await serve({ users: false, reach: 'loopback' });
    expect((await ask()).status).toBe(200);
    expect((await ask({ host: 'evil.example' })).status).toBe(401);
  });
});

describe('organisations, for a scraper with credentials', () => {
  const own = [
    'test_full_total{field="pulls/d/2026-01-01"} 4',
    'test_full_total{field="pulls/o/*/d/2026-01-01"} 2',
    'test_full_total{field="pulls/o/alpha.example/d/2026-01-01"} 1',
    'test_seconds_count{org="alpha.example"} 1',
    'test_usage_total{org="",arch="amd64"} 15',
    'test_usage_total{org="alpha.example",arch="amd64"} 3',
  ];

  test('of one organisation: the name of its own, and the sum over all others', async () => {
    await serve({ organisationsFor: 'all' });
    expect(await samples(token('alpha'))).toEqual(own);
  });

  test('of none, or with the right admin: all names', async () => {
    await serve({ organisationsFor: 'all' });
    for (const name of ['unbound', 'alpha-admin']) {
      const all = await samples(token(name));
      expect(all).toContain('test_usage_total{org="beta.example",arch="amd64"} 4');
      expect(all).toContain('test_usage_total{org="",arch="amd64"} 5');
      expect(all).toContain('test_seconds_count{org="beta.example"} 1');
    }
  });

  test('different scrapers at the same time do not share an exposition', async () => {
    await serve({ organisationsFor: 'all' });
    const [alpha, unbound] = await Promise.all([samples(token('alpha')), samples(token('unbound'))]);
    expect(alpha).toEqual(own);
    expect(unbound).not.toEqual(own);
  });

  test('no names, if the listener shows none', async () => {
    await serve({ organisationsFor: 'none' });
    for (const name of ['alpha', 'unbound']) {
      const [, , usage, ...more] = await samples(token(name));
      expect([usage, more]).toEqual(['test_usage_total{org="",arch="amd64"} 18', []]);
    }
  });
});
