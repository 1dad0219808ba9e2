import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cases, open, routes, type Try } from '../support/isolation/cases.ts';
import {
  basic,
  bound,
  eventOf,
  markers,
  meters,
  root,
  startOrganisations,
  totalOfOthers,
  untilTotal,
  type Answer,
  type Asked,
  type Kept,
  type Organisations,
} from '../support/isolation/organisations.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';

/*
 * Two organisations share a server. Clients bound to one organisation try to read and write the data of the other one, over
 * each route of the server's own OpenAPI document. A route without a case fails. Runs with every store.
 */
const directory = mkdtempSync(join(tmpdir(), 'tonnage-isolation-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const inRedis = ({ url }: RedisServer) => ({ driver: 'redis', url });
const stores: readonly (readonly [string, (redis: RedisServer) => Kept])[] = [
  ['the embedded store', () => ({})],
  ['Redis', (redis) => ({ store: inRedis(redis) })],
  ['a Redis that instances share', (redis) => ({ store: inRedis(redis), usage: { dedupe: 'shared' } })],
];

describe.each(stores)('with %s', (name, kept) => {
  let redis: RedisServer;
  let organisations: Organisations;
  let addresses = 0;
  const ask = (asked: Asked, authorization?: string): Promise<Answer> => organisations.ask(asked, authorization);
  const triesOf = (route: string): readonly Try[] => cases[route]?.(organisations) ?? [];
  const readsOf = (route: string): readonly Try[] => (route.startsWith('GET ') ? triesOf(route) : []);

  /** The same request from a new address, which no login has failed from: too many failures would be limited. */
  function elsewhere(asked: Asked): Asked {
    const address = `192.0.2.${++addresses % 250}`;
    return { ...asked, headers: { ...asked.headers, 'x-forwarded-for': address } };
  }

  beforeAll(async () => {
    redis = await startRedis(join(directory, name, 'redis'));
    organisations = await startOrganisations(join(directory, name), kept(redis));
  });
  afterAll(async () => {
    await organisations.server.program.stop('SIGTERM');
    await redis.stop();
  });

  test('each route of the OpenAPI document has its cases, and there are no others', () => {
    const documented = Object.entries(organisations.openapi.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(documented.toSorted()).toEqual(routes.toSorted());
  });

  describe.each(routes.filter((route) => route.startsWith('GET ')))('%s', (route) => {
    test('HEAD tells no more than GET', async () => {
      for (const { asked, status } of readsOf(route)) {
        const head = await ask({ ...asked, method: 'HEAD' }, organisations.credentials['a user']);
        const shown = `${asked.path}: ${head.status} ${JSON.stringify([...head.headers])}`;
        expect([status].flat(), shown).toContain(head.status);
        expect(head.text).toBe('');
        expect(leakOf(head, asked), shown).toBeUndefined();
        const nobody = await ask({ ...elsewhere(asked), method: 'HEAD' });
        expect(isAnybodys(route) ? [200, 404] : [400, 401, 404], asked.path).toContain(nobody.status);
        expect(leakOf(nobody, asked), shown).toBeUndefined();
      }
    });

    test('the tag of what others were answered gets its own answer, not 304', async () => {
      for (const { asked, status } of readsOf(route)) {
        const others = [root, `Bearer ${organisations.tokenOfOthers.token}`];
        const answers = await Promise.all(others.map((authorization) => ask(asked, authorization)));
        const tags = answers.flatMap(({ headers }) => headers.get('etag') ?? []);
        const own = await ask(asked, organisations.credentials['a user']);
        const headers = { ...asked.headers, 'if-none-match': ['"a"', ...tags].join(', ') };
        const again = await ask({ ...asked, headers }, organisations.credentials['a user']);
        // Clients with the same answer get the same tag.
        const isSame = tags.includes(own.headers.get('etag') ?? '');
        const shown = `${asked.path} ${tags.join(', ')}: ${again.status} ${again.text}`;
        expect(isSame ? [304, ...[status].flat()] : [status].flat(), shown).toContain(again.status);
        expect(leakOf(again, asked), shown).toBeUndefined();
      }
    });
  });

  describe.each(routes)('%s', (route) => {
    test.each(bound)('%s reads and writes only the data of its own organisation', async (who) => {
      for (const { asked, status, body } of triesOf(route)) {
        const answer = await ask(asked, organisations.credentials[who]);
        const shown = `${asked.path} ${JSON.stringify(asked.body)}: ${answer.text}`;
        expect([status].flat(), shown).toContain(answer.status);
        expect(toldBy(answer), shown).toMatchObject(wantedOf(answer, body));
        expect(leakOf(answer, asked), shown).toBeUndefined();
      }
    });

    test('a path token opens nothing', async () => {
      for (const { asked, status } of triesOf(route)) {
        // Credentials may not matter for a route without data, or with public data.
        const harmless = [status].flat().filter((each) => open.has(route) || each === 400 || each === 404);
        const { pathToken, credentials } = organisations;
        for (const authorization of [`Bearer ${pathToken}`, basic('x', pathToken)]) {
          const answer = await ask(elsewhere(asked), authorization);
          const shown = `${asked.path}: ${answer.text}`;
          expect([401, ...harmless], shown).toContain(answer.status);
          expect(leakOf(answer, asked), shown).toBeUndefined();
        }
        const inPath = await ask({ ...asked, path: `/v2/wt/${pathToken}${asked.path}` }, credentials['a user']);
        expect(isNothing(inPath), `${asked.path}: ${inPath.text}`).toBe(true);
      }
    });
  });

  test('clients with different answers get different tags', async () => {
    const { credentials, tokenOfOthers } = organisations;
    const asking = [root, credentials['a user'], `Bearer ${tokenOfOthers.token}`];
    const answers = await Promise.all(
      asking.map((authorization) => ask({ path: '/api/v1/usage/pulls' }, authorization)),
    );
    expect(new Set(answers.map(({ headers }) => headers.get('etag'))).size).toBe(asking.length);
    for (const { headers } of answers) {
      // A shared cache must not store it, and a browser only for the same credentials.
      expect(headers.get('cache-control')).toBe('private, no-cache');
      expect(headers.get('vary')).toContain('authorization');
    }
  });

  test.each([
    'application/openmetrics-text; version=1.0.0',
    'text/plain; version=0.0.4',
    'text/plain; version=1.0.0',
    'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
  ])('the metrics listener counts for all together, and names nobody, in %s', async (accept) => {
    const { metricsUrl } = organisations.server;
    for (const query of ['', '?name[]=tonnage_usage_total', '?name[]=tonnage_usage_total&org=b.org', '?org=b.org']) {
      const answer = await fetch(`${metricsUrl}${query}`, { headers: { accept } });
      const text = await answer.text();
      expect(text).toContain('tonnage_usage');
      expect(text.match(/[ab]\.org|secret|visible|alice|bob/)).toBeNull();
      const head = await fetch(`${metricsUrl}${query}`, { method: 'HEAD', headers: { accept } });
      expect(await head.text()).toBe('');
      expect([head.headers.has('etag'), head.headers.has('content-length')]).toEqual([false, false]);
    }
    const ofOthers = `tonnage_usage_total{meter="pulls",org="",arch="arm64"} ${totalOfOthers}\n`;
    expect(await organisations.server.metrics()).toContain(ofOthers);
  });

  test.each(['/', '/openapi.json', '/v2/', '/v2/token', '/v2/_catalog', '/metrics', '/assets/x', '/nowhere'])(
    'nothing of anybody shows at %s',
    async (path) => {
      for (const authorization of [undefined, ...Object.values(organisations.credentials)]) {
        const { text } = await ask({ path }, authorization);
        expect(markers.exec(text)).toBeNull();
      }
    },
  );

  test('after all this the other organisation has what it had, and its token is good', async () => {
    // The totals include events in order, so once the last one is there, all earlier ones are.
    await ask({ path: '/api/v1/events', method: 'POST', body: eventOf('build', 'last', { org: 'last.org' }) }, root);
    await untilTotal(ask, 'builds', 'last.org', 1);
    for (const meter of meters) await untilTotal(ask, meter, 'b.org', totalOfOthers);
    const { text } = await ask({ path: '/api/v1/usage/pulls?by=org' }, `Bearer ${organisations.tokenOfOthers.token}`);
    expect(JSON.parse(text)).toMatchObject({ rows: [{ org: 'b.org', value: totalOfOthers }], total: totalOfOthers });
  });
});

/** Whether a route answers without credentials: the gateway's tokens may be anonymous. */
function isAnybodys(route: string): boolean {
  return open.has(route) || route === 'GET /v2/token';
}

/** Whether an answer of the gateway has no content: an error, or what says that there is a gateway. */
function isNothing({ status, text }: Answer): boolean {
  return text === '{}' || ([404, 405].includes(status) && text.startsWith('{"errors":['));
}

/** The content of an answer: the members of JSON, or any other text as a whole. */
function toldBy({ type, text }: Answer): object {
  return type.includes('json') ? (JSON.parse(text) as object) : { text };
}

function wantedOf(answer: Answer, body: Try['body']): object {
  return typeof body === 'string' ? { text: body } : (body ?? toldBy(answer));
}

/** The content of an answer without words of the request, which an error may repeat to its sender. */
function leakOf({ text, headers }: Answer, { path, body }: Asked): string | undefined {
  const [word] = markers.exec(`${text}\n${JSON.stringify([...headers])}`) ?? [];
  const own = `${decodeURIComponent(path)}${JSON.stringify(body ?? '')}`.toLowerCase();
  return word !== undefined && own.includes(word.toLowerCase()) ? undefined : word;
}
