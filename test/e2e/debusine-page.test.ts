import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { debusineSample, debusineSchema } from '../../src/collector/drivers/debusine/testing/database.ts';
import { parse } from '../../src/exposition/index.ts';
import { suitePostgres } from '../support/postgres-suite.ts';
import { freePort } from '../support/program.ts';
import { eventually } from '../support/redis.ts';
import { startTonnage, tonnage, type Tonnage } from '../support/tonnage.ts';

const directory = mkdtempSync(join(tmpdir(), 'tonnage-page-'));
const passwordHash = `sha256:${createHash('sha256').update('secret').digest('hex')}`;
const basic = (user: string): string => `Basic ${Buffer.from(`${user}:secret`).toString('base64')}`;
const root = '/api/1.0/open-metrics/';

/** Scopes of the database that a token can name. */
const scopes = ['debusine', 'farm', 'quiet', 'vacant', 'we"ird\\scope', '日本 ☃ é{x="y",}', 'far', 'scope="farm"'];

const postgres = suitePostgres();
let server: Tonnage;
beforeAll(async () => {
  const odd = scopes.slice(4).map((name, at) => `(${100 + at}, $odd$${name}$odd$)`);
  const workspaces = odd.map((_, at) => `(${100 + at}, true, NULL, ${100 + at})`);
  const database = await postgres.server.createDatabase(
    debusineSchema,
    debusineSample,
    `INSERT INTO db_scope (id, name) VALUES ${odd.join()};
    INSERT INTO db_workspace (id, public, expiration_delay, scope_id) VALUES ${workspaces.join()}`,
  );
  const source = { driver: 'debusine', dsn: postgres.server.dsn(database), interval: '1s', deadline: '900ms' };
  const nowhere = `postgresql://reader:geheim@127.0.0.1:${await freePort()}/debusine`;
  server = await startTonnage(directory, {
    upstreams: {},
    users: {
      reader: { passwordHash, rights: ['query'] },
      sender: { passwordHash, rights: ['ingest'] },
      root: { passwordHash, rights: ['admin', 'query'] },
    },
    sources: [
      { ...source, name: 'farm', path: 'farm' },
      { ...source, name: 'document', path: 'document', labelRules: 'document', zeroFill: 'none', access: 'required' },
      { ...source, name: 'down', path: 'down', dsn: nowhere, interval: '1h' },
    ],
  });
  await eventually('both sources are read', async () => {
    const statuses = await Promise.all(['farm/', 'document/'].map(async (page) => (await get(page, 'root')).status));
    return statuses.every((status) => status === 200);
  });
});
afterAll(async () => {
  await server.program.stop('SIGTERM');
  rmSync(directory, { recursive: true, force: true });
});

interface PageRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly redirect?: 'manual';
}

/** Requests a page; `user` is a user of the configuration. */
function get(page: string, user?: string, { headers, ...init }: PageRequest = {}): Promise<Response> {
  const authorization = user === undefined ? {} : { authorization: basic(user) };
  return fetch(`${server.url}${root}${page}`, { ...init, headers: { ...authorization, ...headers } });
}

const bearer = (token: string): PageRequest => ({ headers: { authorization: `Bearer ${token}` } });

async function createToken(scope: string): Promise<string> {
  const { stdout } = await tonnage(['token', 'create', '--debusine-scope', scope, '--data', join(directory, 'data')]);
  return stdout.trim();
}

async function detailOf(response: Response): Promise<string> {
  return ((await response.json()) as { detail: string }).detail;
}

/** The scope of a sample's line, read character by character; `undefined` if it has none. */
function scopeOf(line: string): string | undefined {
  let at = line.indexOf('{') + 1;
  while (at > 0 && line[at] !== '}') {
    const equals = line.indexOf('=', at);
    let [value, end] = ['', equals + 2];
    for (; line[end] !== '"'; end++) {
      if (line[end] === '\\') value += line[++end] === 'n' ? '\n' : line[end];
      else value += line[end];
    }
    if (line.slice(at, equals) === 'scope') return value;
    at = line[end + 1] === ',' ? end + 2 : end + 1;
  }
  return undefined;
}

const linesOf = (page: string): readonly string[] => page.split('\n').filter((line) => line !== '');

/** Without the figures that grow with the time of day. */
const isSteady = (line: string): boolean => !line.startsWith('worker_pool_runtime{');

describe('the page of a real database', () => {
  test('is public, in both formats, with the headers of a page', async () => {
    for (const [format, type, syntax] of [
      ['openmetrics', 'application/openmetrics-text; version=1.0.0; charset=utf-8', 'openmetrics'],
      ['prometheus', 'text/plain; version=0.0.4; charset=utf-8', 'text'],
    ] as const) {
      const response = await get(`farm/?format=${format}`);
      expect([response.status, response.headers.get('content-type')]).toEqual([200, type]);
      expect(response.headers.get('cache-control')).toMatch(/^public, max-age=[01]$/);
      expect(Date.parse(response.headers.get('last-modified') ?? '')).toBeGreaterThan(Date.now() - 60_000);
      const names = parse(await response.text(), { format: syntax }).map(({ name }) => name);
      expect(names).toContain('work_requests');
      expect(names.filter((name) => name.startsWith('tonnage'))).toEqual([]);
    }
  });

  test('is not on /metrics, which has the state of its source', async () => {
    const metrics = await server.metrics();
    expect(metrics).toContain('tonnage_source_up{source="farm"} 1\n');
    expect(metrics).not.toMatch(/^work_requests/m);
  });

  test('behaves as an endpoint of Debusine', async () => {
    const head = await get('farm/', undefined, { method: 'HEAD' });
    expect([head.status, Number(head.headers.get('content-length')) > 10_000]).toEqual([200, true]);
    const post = await get('farm/', undefined, { method: 'POST' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
    const options = await get('farm/', undefined, { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow')]).toEqual([200, 'GET, HEAD, OPTIONS']);
    const redirected = await get('farm?format=prometheus', undefined, { redirect: 'manual' });
    expect([redirected.status, redirected.headers.get('location')]).toEqual([301, `${root}farm/?format=prometheus`]);
    expect((await get('farm/?format=json')).status).toBe(404);
    expect((await get('')).status).toBe(404);
    expect((await get('farm/', undefined, { headers: { token: 'unknown' } })).status).toBe(200);
    expect((await get('farm/', undefined, { headers: { authorization: 'Bearer unknown' } })).status).toBe(401);
    expect((await get('farm/?scope=farm')).status).toBe(401);
    expect((await get('farm/?scope=farm', 'root')).status).toBe(401);
  });

  test('that requires access is for clients with the right query', async () => {
    const anonymous = await get('document/');
    expect([anonymous.status, anonymous.headers.get('www-authenticate')]).toEqual([
      401,
      'Basic realm="Tonnage", charset="UTF-8"',
    ]);
    expect((await get('document/', 'sender')).status).toBe(403);
    const response = await get('document/', 'reader');
    expect([response.status, response.headers.get('cache-control')?.split(',')[0]]).toEqual([200, 'private']);
  });

  test('that cannot be read is 503 with the reason, whose details need the right query', async () => {
    const anonymous = await get('down/');
    expect([anonymous.status, Number(anonymous.headers.get('retry-after')) > 0]).toEqual([503, true]);
    expect(await detailOf(anonymous)).toBe('this page has no data yet: its source is unreachable');
    const detail = await detailOf(await get('down/', 'reader'));
    expect(detail).toMatch(/^this page has no data yet: its source is unreachable \(source down: .+\)$/);
    expect(detail).not.toContain('geheim');
  });
});

describe('a token with a Debusine scope', () => {
  test.each(scopes)('sees the rows of the whole page that have its scope, or none: %s', async (scope) => {
    const token = await createToken(scope);
    for (const page of ['farm/?format=prometheus', 'document/?format=prometheus']) {
      const whole = linesOf(await (await get(page, 'root')).text()).filter(isSteady);
      const expected = whole.filter((line) => line.startsWith('#') || (scopeOf(line) ?? scope) === scope);
      for (const wanted of ['', `&scope=${encodeURIComponent(scope)}`]) {
        const response = await get(`${page}${wanted}`, undefined, bearer(token));
        expect([response.status, response.headers.get('cache-control')?.split(',')[0]]).toEqual([200, 'private']);
        expect(linesOf(await response.text()).filter(isSteady)).toEqual(expected);
      }
      expect(expected.length).toBeLessThan(whole.length);
      const hasRows = expected.some((line) => scopeOf(line) === scope);
      // Zero filling gives every scope rows, also one without artifacts. The other page has none.
      expect(hasRows || page.startsWith('document/')).toBe(true);
    }
  });

  test('opens nothing else', async () => {
    const token = await createToken('farm');
    expect((await get('farm/?scope=debusine', undefined, bearer(token))).status).toBe(403);
    for (const path of [
      '/api/v1/usage/pulls',
      '/api/v1/sources',
      '/api/v1/tokens',
      '/v1alpha3/metrics/pulls',
      '/v2/',
    ]) {
      const response = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
      expect([path, response.status]).toEqual([path, 403]);
      expect(await response.text()).toContain('this token opens only the pages of Debusine sources');
    }
  });

  test('ends when it is revoked', async () => {
    const token = await createToken('farm');
    const { stdout } = await tonnage(['token', 'list', '--format', 'json', '--data', join(directory, 'data')]);
    const { tokens } = JSON.parse(stdout) as { tokens: { id: string; debusineScope?: string }[] };
    const { id = '' } = tokens.findLast(({ debusineScope }) => debusineScope === 'farm') ?? {};
    expect((await get('farm/', undefined, bearer(token))).status).toBe(200);
    await tonnage(['token', 'revoke', id, '--data', join(directory, 'data')]);
    expect((await get('farm/', undefined, bearer(token))).status).toBe(401);
  });
});

test('a page whose database has stopped is served with its age', async () => {
  await postgres.server.stop();
  await eventually('the page states its age', async () => {
    const response = await get('farm/');
    expect(response.status).toBe(200);
    expect(parse(await response.text(), { format: 'text' }).length).toBeGreaterThan(10);
    const age = Number(response.headers.get('age') ?? 0);
    return age >= 2 && response.headers.get('cache-control') === 'public, max-age=0';
  });
  expect(await server.metrics()).toContain('tonnage_source_up{source="farm"} 0\n');
});
