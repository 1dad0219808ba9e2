import { once } from 'node:events';
import { request, type OutgoingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../base/index.ts';
import { parse } from '../exposition/index.ts';
import { MetricSet } from '../metric/index.ts';
import { createListener, createMetricsHandler, listen, type Listener } from './index.ts';

/** The organisations on `/metrics` are a list of customers, so only scrapers on this machine may see them. */
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
let listener: Listener | undefined;
afterEach(async () => {
  await listener?.close(0);
  listener = undefined;
});

async function serve(organisationsFor?: 'all' | 'here' | 'none'): Promise<void> {
  const metrics = new MetricSet();
  const usage = metrics.counter({ name: 'test_usage', help: 'Usage.', labels: ['meter', 'org', 'arch'] });
  usage.labels({ meter: 'pulls', org: 'alpha.example', arch: 'amd64' }).inc(3);
  usage.labels({ meter: 'pulls', org: 'beta.example', arch: 'amd64' }).inc(4);
  usage.labels({ meter: 'pulls', org: '', arch: 'amd64' }).inc(5);
  usage.labels({ meter: 'pulls', org: 'beta.example', arch: 'arm64' }).inc(6);
  const full = metrics.counter({ name: 'test_full', help: 'Full fields.', labels: ['field'] });
  full.labels({ field: 'pulls/o/alpha.example/d/2026-01-01' }).inc(1);
  full.labels({ field: 'pulls/o/beta.example/d/2026-01-01' }).inc(2);
  full.labels({ field: 'pulls/d/2026-01-01' }).inc(4);
  const seconds = metrics.histogram({ name: 'test_seconds', help: 'Time.', labels: ['org'], buckets: [1] });
  seconds.labels({ org: 'alpha.example' }).observe(0.5);
  const handler = createMetricsHandler({
    gather: () => metrics.gather(),
    metrics: new MetricSet(),
    clock: systemClock,
    log,
    ...(organisationsFor && { organisationsFor }),
  });
  listener = await listen(createListener(handler), { host: '127.0.0.1', port: 0 });
}

async function scrape(headers: OutgoingHttpHeaders = {}): Promise<string> {
  const asked = request(`${listener?.url}/metrics`, { headers, agent: false }).end();
  const [response] = await once(asked, 'response');
  expect(response.statusCode).toBe(200);
  return text(response);
}

const foreign: readonly [string, OutgoingHttpHeaders][] = [
  ['a foreign Host', { host: 'evil.example:2112' }],
  ['a Host that starts with a loopback address', { host: '127.0.0.1.evil.example' }],
  ['a foreign Host of the same origin', { host: 'evil.example', 'sec-fetch-site': 'same-origin' }],
  ['a page of another site', { 'sec-fetch-site': 'cross-site' }],
  ['a proxy', { via: '1.1 proxy' }],
  ['a proxy that states a client on this machine', { 'x-forwarded-for': '127.0.0.1' }],
  ['a proxy of a content delivery network', { 'cf-connecting-ip': '192.0.2.1' }],
];

describe('a scrape contains the names of organisations', () => {
  test.each(['127.0.0.1', 'localhost:2112', '[::1]:2112', 'LOCALHOST'])(
    'on this machine, for Host %s',
    async (host) => {
      await serve();
      expect(await scrape({ host })).toContain('org="alpha.example"');
    },
  );

  test('during a concurrent scrape without names', async () => {
    await serve();
    const [here, elsewhere] = await Promise.all([scrape(), scrape({ host: 'evil.example' })]);
    expect(here).toContain('alpha.example');
    expect(elsewhere).not.toContain('alpha.example');
  });

  test('for every scraper if configured so, but never for a page of another site', async () => {
    await serve('all');
    expect(await scrape({ host: 'metrics.example.org', via: '1.1 proxy' })).toContain('alpha.example');
    expect(await scrape({ 'sec-fetch-site': 'cross-site' })).not.toContain('alpha.example');
  });
});

test.each(foreign)('%s gets sums over all organisations, and no names', async (_title, headers) => {
  await serve();
  const body = await scrape({ accept: 'application/openmetrics-text', ...headers });
  expect(body).not.toMatch(/alpha|beta/);
  const samples = body.split('\n').filter((line) => line.startsWith('test_'));
  expect(samples.toSorted()).toEqual([
    'test_full_total{field="pulls/d/2026-01-01"} 4',
    'test_full_total{field="pulls/o/*/d/2026-01-01"} 3',
    'test_usage_total{meter="pulls",org="",arch="amd64"} 12',
    'test_usage_total{meter="pulls",org="",arch="arm64"} 6',
  ]);
  expect(parse(body, { format: 'openmetrics' })).toBeDefined();
});
