import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { distributionPull, harborPull, zotScan } from '../support/notifications.ts';
import { startTonnage, tonnage, type Tonnage } from '../support/tonnage.ts';

/**
 * Two organisations share a server. Whoever is bound to the one asks each route of the server's own OpenAPI document for
 * what is the other's, and tries to write it: a route that has no case here fails.
 */
const directory = mkdtempSync(join(tmpdir(), 'tonnage-isolation-'));
const passwordHash = `sha256:${createHash('sha256').update('secret').digest('hex')}`;
const config = {
  upstreams: {},
  trustedProxies: ['127.0.0.1'],
  usage: { dimensions: ['org', 'arch', 'upstream', 'repository', 'user'], plain: ['user'] },
  ingest: {
    distribution: { orgs: { '*': 'b.org' } },
    harbor: { orgs: { '*': 'b.org' } },
    zot: { orgs: { '*': 'b.org' } },
  },
  users: {
    alice: { passwordHash, email: 'alice@a.org', rights: ['pull', 'query', 'ingest'] },
    root: { passwordHash, rights: ['query', 'ingest', 'admin'] },
  },
};

/** What only the other organisation has: its name, its images, its people, how much it has. */
const markers = /b\.org|secret|bob|7777|7780/i;
const meters = ['pulls', 'fusion', 'builds', 'mirrors', 'scans'] as const;
const types = { pulls: 'pull', fusion: 'fusion', builds: 'build', mirrors: 'mirror', scans: 'scan' } as const;
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const now = Date.now();
const today = dayOf(now);
const earlier = dayOf(now - 2 * 86_400_000);

const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const root = basic('root', 'secret');

let server: Tonnage;
let openapi: { readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
/** What each of them shows; all but the path token are bound to a.org and may pull, query and ingest. */
const credentials = new Map<string, string>([['a user', basic('alice', 'secret')]]);
let pathToken = '';
let tokenOfOthers = { id: '', token: '' };
let cursorOfRoot = '';
let tagOfRoot = '';

interface Asked {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  readonly headers: Headers;
}

async function ask(asked: Asked, authorization?: string): Promise<Answer> {
  const { path, method = 'GET', headers = {}, body } = asked;
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
      ...(authorization !== undefined && { authorization }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const type = response.headers.get('content-type') ?? '';
  return { status: response.status, type, text: await response.text(), headers: response.headers };
}

const event = (type: string, id: string, data: object, time = now): object => ({
  specversion: '1.0',
  type: `tonnage.${type}`,
  source: '/isolation',
  id,
  time: new Date(time).toISOString(),
  data,
});

async function createToken(...args: readonly string[]): Promise<{ id: string; token: string }> {
  const { stdout, stderr } = await tonnage(['token', 'create', ...args, '--data', join(directory, 'data')]);
  return { token: stdout.trim(), id: /^token (\S+);/.exec(stderr)?.[1] ?? '' };
}

const shared = { arch: 'amd64', upstream: 'visible.example', repository: 'visible/app', user: 'alice' };
const hidden = { arch: 'arm64', upstream: 'secret.example', repository: 'secret/app', user: 'bob' };

beforeAll(async () => {
  server = await startTonnage(directory, config);
  const events = meters.flatMap((meter) => [
    event(types[meter], `${meter}-a`, { org: 'a.org', ...shared, quantity: 3 }),
    event(types[meter], `${meter}-b`, { org: 'b.org', ...hidden, quantity: 7_000 }, now - 2 * 86_400_000),
    event(types[meter], `${meter}-b-now`, { org: 'b.org', ...hidden, quantity: 777 }),
  ]);
  const sent = await ask({ path: '/api/v1/events', method: 'POST', body: events }, root);
  if (!sent.text.includes(`"accepted":${events.length},`)) throw new Error(`not all of it was taken: ${sent.text}`);

  const { token } = await createToken('--org', 'a.org', '--rights', 'pull,query,ingest');
  credentials.set('an API token as bearer', `Bearer ${token}`);
  credentials.set('an API token as password', basic('x', token));
  pathToken = (await createToken('--path', '--org', 'a.org')).token;
  tokenOfOthers = await createToken('--org', 'b.org', '--name', 'bob');

  const page = await ask({ path: '/api/v1/usage/pulls?by=org&limit=1' }, root);
  cursorOfRoot = (JSON.parse(page.text) as { next: string }).next;
  tagOfRoot = (await ask({ path: '/api/v1/usage/pulls' }, root)).headers.get('etag') ?? '';
  openapi = JSON.parse((await ask({ path: '/openapi.json' })).text) as typeof openapi;
});
afterAll(async () => {
  await server.program.stop('SIGTERM');
  rmSync(directory, { recursive: true, force: true });
});

/** A try, and what comes of it for credentials that are bound to a.org. A body as an object has to match, a text to be equal. */
interface Try {
  readonly asked: Asked;
  readonly status: number | readonly number[];
  readonly body?: object | string;
}

const usage = (query: string, status: number, body?: object | string): Try => ({
  asked: { path: `/api/v1/usage/pulls${query}` },
  status,
  ...(body !== undefined && { body }),
});
const forbidden = {
  status: 403,
  code: 'forbidden',
  detail: 'org: expected "a.org", the organisation of these credentials',
};
const noRight = { status: 403, code: 'forbidden', detail: 'these credentials do not give the right admin' };
const none = { rows: [], total: 0 };

const usageTries = (): readonly Try[] => [
  ...['b.org', 'B.ORG', '', 'c.org'].map((org) => usage(`?org=${org}`, 403, forbidden)),
  usage('?org=b.org&format=csv', 403, forbidden),
  usage('?org=a.org&org=b.org', 400, { code: 'bad_request' }),
  usage('', 200, { from: today, rows: [{ value: 3 }], total: 3 }),
  usage('?by=org,arch,upstream,repository,user,day', 200, {
    rows: [{ from: today, org: 'a.org', ...shared, value: 3 }],
    total: 3,
  }),
  usage('?by=org,repository&format=csv', 200, 'org,repository,value\r\na.org,visible/app,3\r\n'),
  usage('?by=org&window=month', 200, { rows: [{ from: `${today.slice(0, 7)}-01`, org: 'a.org', value: 3 }], total: 3 }),
  usage('?by=org&top=1', 200, { rows: [{ org: 'a.org', value: 3 }], total: 3 }),
  usage('?distinct=user', 200, { rows: [{ value: 3, distinct: 1 }], total: 3 }),
  usage(`?by=org&limit=1&cursor=${cursorOfRoot}`, 200, { rows: [], total: 3 }),
  usage(`?by=org&limit=1&cursor=${cursorOfRoot}&format=csv`, 200, 'org,value\r\n'),
  usage(`?from=${earlier}&to=${dayOf(now - 86_400_000)}`, 200, { total: 0 }),
  usage('?repository=secret/app', 200, none),
  usage('?upstream=secret.example&by=arch', 200, none),
  usage('?user=bob', 200, none),
  usage('?arch=arm64&format=csv&by=user', 200, 'user,value\r\n'),
  { asked: { path: '/api/v1/usage/pulls', headers: { 'if-none-match': tagOfRoot } }, status: 200, body: { total: 3 } },
];

const dimension = (name: string, values: readonly string[], query = ''): Try => ({
  asked: { path: `/api/v1/dimensions/${name}${query}` },
  status: 200,
  body: { dimension: name, values },
});
const dimensionTries = (): readonly Try[] => [
  dimension('org', ['a.org']),
  dimension('arch', ['amd64']),
  dimension('upstream', ['visible.example']),
  dimension('repository', ['visible/app']),
  dimension('user', ['alice']),
  dimension('repository', [], '?prefix=secret'),
  dimension('org', [], '?prefix=b'),
  dimension('repository', ['visible/app'], '?meter=builds'),
  { asked: { path: '/api/v1/dimensions/repository?org=b.org' }, status: 400, body: { code: 'bad_request' } },
];

/** Wave's metric by its path. */
const wavePaths = { builds: 'builds', pulls: 'pulls', 'fusion/pulls': 'fusion', mirrors: 'mirrors', scans: 'scans' };
function waveTries(version: string, path: string): readonly Try[] {
  const wave = (query: string, status: number, body: object): Try => ({
    asked: { path: `/${version}/metrics/${path}${query}` },
    status,
    body,
  });
  const own = { count: 3, orgs: { 'a.org': 3 } };
  const refusal = { message: forbidden.detail };
  const nothing = { count: 0 };
  return [
    wave('', 200, own),
    wave('?org=a.org', 200, own),
    wave('?org=b.org', 403, refusal),
    wave(`?org=b.org&date=${today}`, 403, refusal),
    wave('?org=b.org&org=a.org', 403, refusal),
    // To Wave an empty parameter is none.
    wave('?org=', 200, own),
    wave(`?date=${today}`, 200, own),
    wave(`?date=${earlier}`, 200, nothing),
    ...(version === 'v1alpha3' ? [wave('?arch=arm64', 200, nothing), wave('?arch=amd64&org=b.org', 403, refusal)] : []),
  ];
}

const post = (path: string, body: unknown, status: number, answer: object, headers = {}): Try => ({
  asked: { path, method: 'POST', body, headers },
  status,
  body: answer,
});
/** Each of `tries` writes: what it sends has an identity that nobody has used. */
let sent = 0;
let addresses = 0;
const eventTries = (): readonly Try[] => {
  const build = (data: object): object => event('build', `try-${++sent}`, data);
  const others = { refused: 1, results: [{ status: 'refused', code: 'not_your_organisation' }] };
  const path = '/api/v1/events';
  const binary = {
    'ce-specversion': '1.0',
    'ce-type': 'tonnage.build',
    'ce-source': '/isolation',
    'ce-id': `try-${++sent}`,
  };
  return [
    post(path, build({ org: 'b.org' }), 422, others),
    post(path, build({ org: 'B.Org' }), 422, others),
    post(path, build({ email: 'bob@b.org' }), 422, others),
    post(path, [build({ org: 'b.org' }), build({})], 200, { accepted: 1, ...others, results: [others.results[0], {}] }),
    post(path, { org: 'b.org' }, 422, others, binary),
    // The other's events are nobody's to take back, and their identities do not show.
    post(path, event('void', `try-${++sent}`, { source: '/isolation', id: 'builds-b' }), 200, { refused: 0 }),
    post(path, event('void', `try-${++sent}`, { source: '/isolation', id: 'builds-b', tenant: null }), 422, {
      refused: 1,
    }),
    post(path, event('void', `try-${++sent}`, { source: '/isolation', id: 'builds-b', tenant: 'b.org' }), 422, {
      refused: 1,
    }),
  ];
};

/** What registries tell is of the organisation of the credentials, whatever the configuration says of a repository. */
const taken = { accepted: 1 };
const distribution = (): Try => post('/api/v1/events/distribution', distributionPull(`try-${++sent}`, now), 200, taken);
const harbor = (): Try => post('/api/v1/events/harbor', harborPull(now - ++sent * 1_000), 200, taken);
const cloudEvent = { 'content-type': 'application/cloudevents+json' };
const zot = (): Try => post('/api/v1/events/zot', zotScan(`try-${++sent}`), 200, taken, cloudEvent);

const tokens = '/api/v1/tokens';
/** The dashboard is public, where it has been built. */
const builtOrNot = [200, 404];
const cases: Readonly<Record<string, () => readonly Try[]>> = {
  'GET /api/v1/usage/{meter}': usageTries,
  'GET /api/v1/dimensions/{name}': dimensionTries,
  'GET /api/v1/meters': () => [{ asked: { path: '/api/v1/meters' }, status: 200 }],
  'GET /': () => [{ asked: { path: '/' }, status: builtOrNot }],
  'GET /assets/{file}': () => [{ asked: { path: '/assets/secret.js' }, status: 404 }],
  'GET /openapi.json': () => [{ asked: { path: '/openapi.json' }, status: 200 }],
  'GET /v2/': () => [{ asked: { path: '/v2/' }, status: 200, body: {} }],
  'GET /v2/token': () => [{ asked: { path: '/v2/token?scope=repository:secret/app:pull' }, status: 200 }],
  ...Object.fromEntries(
    [
      ['manifests/{reference}', 'manifests/v1'],
      ['blobs/{digest}', `blobs/sha256:${'a'.repeat(64)}`],
      ['referrers/{digest}', `referrers/sha256:${'a'.repeat(64)}`],
      ['tags/list', 'tags/list'],
    ].map(([route, path]) => [
      `GET /v2/{name}/${route}`,
      () => [{ asked: { path: `/v2/secret/app/${path}` }, status: 404 }],
    ]),
  ),
  'GET /healthz': () => [{ asked: { path: '/healthz' }, status: 200, body: { alive: true } }],
  'GET /readyz': () => [{ asked: { path: '/readyz' }, status: 200, body: { ready: true } }],
  'GET /api/v1/tokens': () => [{ asked: { path: tokens }, status: 403, body: noRight }],
  'POST /api/v1/tokens': () => [
    post(tokens, { org: 'b.org', rights: ['query'] }, 403, noRight),
    post(tokens, { rights: ['admin'] }, 403, noRight),
  ],
  'DELETE /api/v1/tokens/{id}': () => [
    { asked: { path: `${tokens}/${tokenOfOthers.id}`, method: 'DELETE' }, status: 403, body: noRight },
  ],
  ...Object.fromEntries(
    ['v1alpha2', 'v1alpha3'].flatMap((version) =>
      Object.keys(wavePaths).map((path) => [`GET /${version}/metrics/${path}`, () => waveTries(version, path)]),
    ),
  ),
  'POST /api/v1/events': eventTries,
  'POST /api/v1/events/distribution': () => [distribution()],
  'POST /api/v1/events/harbor': () => [harbor()],
  'POST /api/v1/events/zot': () => [zot()],
};

const isWrite = (route: string): boolean => route.startsWith('POST /api/v1/events');
const open = new Set(['GET /', 'GET /assets/{file}', 'GET /openapi.json', 'GET /healthz', 'GET /readyz']);
// Reading first: what is written later counts for a.org.
const routes = Object.keys(cases).toSorted((one, other) => Number(isWrite(one)) - Number(isWrite(other)));

/** What was told: the members of JSON, or the text of anything else as one. */
function toldBy({ type, text }: Answer): object {
  return type.includes('json') ? (JSON.parse(text) as object) : { text };
}

function wantedOf(answer: Answer, body: Try['body']): object {
  return typeof body === 'string' ? { text: body } : (body ?? toldBy(answer));
}

/** All that an answer tells, but for the words of the request that an error may tell back to who sent them. */
function leakOf({ text, headers }: Answer, { path, body }: Asked): string | undefined {
  const [word] = markers.exec(`${text}\n${JSON.stringify([...headers])}`) ?? [];
  const own = `${decodeURIComponent(path)}${JSON.stringify(body ?? '')}`.toLowerCase();
  return word !== undefined && own.includes(word.toLowerCase()) ? undefined : word;
}

test('each route of the OpenAPI document has its cases here, and there are no others', () => {
  const documented = Object.entries(openapi.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(documented.toSorted()).toEqual(routes.toSorted());
});

describe.each(routes)('%s', (route) => {
  test.each(['a user', 'an API token as bearer', 'an API token as password'])(
    '%s gets and writes what is their own, and no more',
    async (who) => {
      const tries = cases[route]?.() ?? [];
      for (const { asked, status, body } of tries) {
        const answer = await ask(asked, credentials.get(who));
        const shown = `${asked.path} ${JSON.stringify(asked.body)}: ${answer.text}`;
        expect([status].flat(), shown).toContain(answer.status);
        expect(toldBy(answer), shown).toMatchObject(wantedOf(answer, body));
        expect(leakOf(answer, asked), shown).toBeUndefined();
      }
    },
  );

  test('a path token opens nothing', async () => {
    for (const { asked, status } of cases[route]?.() ?? []) {
      // Where there is nothing to be had, or it is had by everybody, credentials may not matter.
      const harmless = [status].flat().filter((each) => open.has(route) || each === 400 || each === 404);
      for (const authorization of [`Bearer ${pathToken}`, basic('x', pathToken)]) {
        const answer = await ask(elsewhere(asked), authorization);
        const shown = `${asked.path}: ${answer.text}`;
        expect([401, ...harmless], shown).toContain(answer.status);
        expect(leakOf(answer, asked), shown).toBeUndefined();
      }
      const inPath = await ask({ ...asked, path: `/v2/wt/${pathToken}${asked.path}` }, credentials.get('a user'));
      expect(isNothing(inPath), `${asked.path}: ${inPath.text}`).toBe(true);
    }
  });
});

/** As if from an address that has never failed to log in: one that has too often is told to wait. */
function elsewhere(asked: Asked): Asked {
  const address = `192.0.2.${++addresses % 250}`;
  return { ...asked, headers: { ...asked.headers, 'x-forwarded-for': address } };
}

/** Whether an answer of the gateway has no content: an error, or what says that there is a gateway. */
function isNothing({ status, text }: Answer): boolean {
  return text === '{}' || ([404, 405].includes(status) && text.startsWith('{"errors":['));
}

test.each(['/', '/openapi.json', '/v2/', '/v2/token', '/v2/_catalog', '/metrics', '/assets/x', '/nowhere'])(
  'nothing of anybody shows at %s',
  async (path) => {
    for (const authorization of [undefined, ...credentials.values()]) {
      const { text } = await ask({ path }, authorization);
      expect(markers.exec(text)).toBeNull();
    }
  },
);

test('after all this the other organisation has what it had, and its token is good', async () => {
  for (const meter of meters) {
    const { text } = await ask({ path: `/api/v1/usage/${meter}?org=b.org` }, root);
    expect(JSON.parse(text)).toMatchObject({ total: 7_777 });
  }
  const { text } = await ask({ path: '/api/v1/usage/pulls?by=org' }, `Bearer ${tokenOfOthers.token}`);
  expect(JSON.parse(text)).toMatchObject({ rows: [{ org: 'b.org', value: 7_777 }], total: 7_777 });
});
