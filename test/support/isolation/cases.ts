import { distributionPull, harborPull, zotScan } from '../notifications.ts';
import { dayMs, dayOf, eventOf, now, visible, type Asked, type Organisations } from './organisations.ts';

/** A request and its expected answer for credentials bound to a.org. An object must match the body, a text must equal it. */
export interface Try {
  readonly asked: Asked;
  readonly status: number | readonly number[];
  readonly body?: object | string;
}

/** Requests by which one organisation tries to reach the data of the other one. */
type Cases = (organisations: Organisations) => readonly Try[];

const today = dayOf(now);
const yesterday = dayOf(now - dayMs);
const earlier = dayOf(now - 2 * dayMs);

const usage = (query: string, status: number, body?: object | string, headers = {}): Try => ({
  asked: { path: `/api/v1/usage/pulls${query}`, headers },
  status,
  ...(body !== undefined && { body }),
});
const forbidden = {
  status: 403,
  code: 'forbidden',
  detail: 'org: expected "a.org", the organisation of these credentials',
};
const noRight = { status: 403, code: 'forbidden', detail: 'these credentials do not have the right admin' };
const none = { rows: [], total: 0 };

const usageTries: Cases = ({ cursorOfRoot, tagOfRoot }) => [
  ...['b.org', 'B.ORG', '', 'c.org'].map((org) => usage(`?org=${org}`, 403, forbidden)),
  usage('?org=b.org&format=csv', 403, forbidden),
  usage('?org=b.org', 403, forbidden, { 'if-none-match': '*' }),
  usage('?org=a.org&org=b.org', 400, { code: 'bad_request' }),
  usage('', 200, { from: today, rows: [{ value: 3 }], total: 3 }),
  usage('?by=org,arch,upstream,repository,user,day', 200, {
    rows: [{ from: today, org: 'a.org', ...visible, value: 3 }],
    total: 3,
  }),
  usage('?by=org,repository&format=csv', 200, 'org,repository,value\r\na.org,visible/app,3\r\n'),
  usage('?by=org&window=month', 200, { rows: [{ from: `${today.slice(0, 7)}-01`, org: 'a.org', value: 3 }], total: 3 }),
  usage('?by=org&top=1', 200, { rows: [{ org: 'a.org', value: 3 }], total: 3 }),
  usage('?distinct=user', 200, { rows: [{ value: 3, distinct: 1 }], total: 3 }),
  usage(`?by=org&limit=1&cursor=${cursorOfRoot}`, 400, { code: 'bad_request' }),
  usage(`?by=org&limit=1&cursor=${cursorOfRoot}&format=csv`, 400, { code: 'bad_request' }),
  usage(`?from=${earlier}&to=${yesterday}`, 200, { total: 0 }),
  usage('?repository=secret/app', 200, none),
  usage('?upstream=secret.example&by=arch', 200, none),
  usage('?user=bob', 200, none),
  usage('?arch=arm64&format=csv&by=user', 200, 'user,value\r\n'),
  usage('', 200, { total: 3 }, { 'if-none-match': tagOfRoot }),
];

const dimension = (name: string, values: readonly string[], query = ''): Try => ({
  asked: { path: `/api/v1/dimensions/${name}${query}` },
  status: 200,
  body: { dimension: name, values },
});
const dimensionTries: Cases = () => [
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

/** The paths of Wave's metrics. */
const wavePaths = ['builds', 'pulls', 'fusion/pulls', 'mirrors', 'scans'] as const;
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
    // Wave ignores an empty parameter.
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

/** Each of `tries` writes an event with a new identity. */
let sent = 0;
const unusedId = (): string => `try-${++sent}`;
const eventTries: Cases = () => {
  const build = (data: object): object => eventOf('build', unusedId(), data);
  const voidOf = (data: object): object =>
    eventOf('void', unusedId(), { source: '/isolation', id: 'builds-b', ...data });
  const others = { refused: 1, results: [{ status: 'refused', code: 'not_your_organisation' }] };
  const path = '/api/v1/events';
  const binary = {
    'ce-specversion': '1.0',
    'ce-type': 'tonnage.build',
    'ce-source': '/isolation',
    'ce-id': unusedId(),
  };
  return [
    post(path, build({ org: 'b.org' }), 422, others),
    post(path, build({ org: 'B.Org' }), 422, others),
    post(path, build({ email: 'bob@b.org' }), 422, others),
    post(path, [build({ org: 'b.org' }), build({})], 200, { accepted: 1, ...others, results: [others.results[0], {}] }),
    post(path, { org: 'b.org' }, 422, others, binary),
    // One organisation cannot void the other's events, and does not see their identities.
    post(path, voidOf({}), 200, { refused: 0 }),
    post(path, voidOf({ tenant: null }), 422, { refused: 1 }),
    post(path, voidOf({ tenant: 'b.org' }), 422, { refused: 1 }),
  ];
};

/** Notifications count for the organisation of the credentials, whatever the configuration says about a repository. */
const taken = { accepted: 1 };
const distribution = (): Try => post('/api/v1/events/distribution', distributionPull(unusedId(), now), 200, taken);
const harbor = (): Try => post('/api/v1/events/harbor', harborPull(now - ++sent * 1_000), 200, taken);
const cloudEvent = { 'content-type': 'application/cloudevents+json' };
const zot = (): Try => post('/api/v1/events/zot', zotScan(unusedId()), 200, taken, cloudEvent);

const tokens = '/api/v1/tokens';
const one =
  (path: string, status: Try['status'], body?: object): Cases =>
  () => [{ asked: { path }, status, ...(body !== undefined && { body }) }];
const nameless = `sha256:${'a'.repeat(64)}`;

/** By method and path as in the OpenAPI document. */
export const cases: Readonly<Record<string, Cases>> = {
  'GET /api/v1/usage/{meter}': usageTries,
  'GET /api/v1/dimensions/{name}': dimensionTries,
  'GET /api/v1/meters': one('/api/v1/meters', 200),
  'GET /api/v1/sources': one('/api/v1/sources', 200),
  'GET /api/1.0/open-metrics': one('/api/1.0/open-metrics', 404),
  'GET /api/1.0/open-metrics/': one('/api/1.0/open-metrics/', 404),
  'GET /api/1.0/open-metrics/{page}': one('/api/1.0/open-metrics/farm', 404),
  'GET /api/1.0/open-metrics/{page}/': one('/api/1.0/open-metrics/farm/', 404),
  // The dashboard is public, if it has been built.
  'GET /': one('/', [200, 404]),
  'GET /assets/{file}': one('/assets/secret.js', 404),
  'GET /openapi.json': one('/openapi.json', 200),
  'GET /v2/': one('/v2/', 200, {}),
  'GET /v2/token': one('/v2/token?scope=repository:secret/app:pull', 200),
  'GET /v2/{name}/manifests/{reference}': one('/v2/secret/app/manifests/v1', 404),
  'GET /v2/{name}/blobs/{digest}': one(`/v2/secret/app/blobs/${nameless}`, 404),
  'GET /v2/{name}/referrers/{digest}': one(`/v2/secret/app/referrers/${nameless}`, 404),
  'GET /v2/{name}/tags/list': one('/v2/secret/app/tags/list', 404),
  'GET /healthz': one('/healthz', 200, { alive: true }),
  'GET /readyz': one('/readyz', 200, { ready: true }),
  'GET /api/v1/tokens': one(tokens, 403, noRight),
  'POST /api/v1/tokens': () => [
    post(tokens, { org: 'b.org', rights: ['query'] }, 403, noRight),
    post(tokens, { rights: ['admin'] }, 403, noRight),
  ],
  'DELETE /api/v1/tokens/{id}': ({ tokenOfOthers }) => [
    { asked: { path: `${tokens}/${tokenOfOthers.id}`, method: 'DELETE' }, status: 403, body: noRight },
  ],
  ...Object.fromEntries(
    ['v1alpha2', 'v1alpha3'].flatMap((version) =>
      wavePaths.map((path) => [`GET /${version}/metrics/${path}`, () => waveTries(version, path)]),
    ),
  ),
  'POST /api/v1/events': eventTries,
  'POST /api/v1/events/distribution': () => [distribution()],
  'POST /api/v1/events/harbor': () => [harbor()],
  'POST /api/v1/events/zot': () => [zot()],
};

const isWrite = (route: string): boolean => route.startsWith('POST /api/v1/events');
/** All cases; reads first, since later writes count for a.org. */
export const routes = Object.keys(cases).toSorted((first, other) => Number(isWrite(first)) - Number(isWrite(other)));
/** Public routes. */
export const open = new Set([
  'GET /',
  'GET /assets/{file}',
  'GET /openapi.json',
  'GET /healthz',
  'GET /readyz',
  'GET /api/1.0/open-metrics',
  'GET /api/1.0/open-metrics/',
  'GET /api/1.0/open-metrics/{page}',
  'GET /api/1.0/open-metrics/{page}/',
]);
