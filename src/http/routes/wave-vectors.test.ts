import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DimensionValues } from '../../usage/index.ts';
import { fixtureDay as D, type ApiFixture } from '../testing/api-fixture.ts';
import { storeKinds, type StoreKind } from '../testing/wave-stores.ts';

/** The path below `/metrics/`, by the metric named in the answer. */
const paths = { builds: 'builds', pulls: 'pulls', fusion: 'fusion/pulls', scans: 'scans', mirrors: 'mirrors' };
const metrics = Object.entries(paths);
const [u1, u2, anonymous] = [{ org: 'org1.com' }, { org: 'org2.com' }, {}];
const [amd64, arm64] = [{ arch: 'amd64' }, { arch: 'arm64' }];
/** The events of Wave's controller tests. */
const controllerEvents = [{ ...u1, ...amd64 }, { ...u1, ...arm64 }, { ...u2, ...arm64 }, anonymous, arm64, u2];
/** The events of Wave's service tests. */
const serviceEvents = [{ ...u1, ...amd64 }, { ...u2, ...arm64 }, anonymous];

const both = ['v1alpha2', 'v1alpha3'] as const;
const [v2, v3] = [['v1alpha2'], ['v1alpha3']] as const;
const dateRefusal = { message: 'date format should be yyyy-MM-dd' };
const archRefusal = { message: 'arch should be one of [amd64, x86_64, x86-64, arm64, aarch64, arm]' };

type Vector = readonly [versions: readonly string[], question: string, body: object, status?: number];

const two = { 'org1.com': 2, 'org2.com': 2 };
const one = { 'org1.com': 1, 'org2.com': 1 };
const pulls = { metric: 'pulls', count: 4, orgs: two };
const ofArm = (metric: string) => ({ metric, arch: 'arm64', count: 3, orgs: one });
const ofOne = (metric: string, arch: string, org: string, count = 1) => ({
  metric,
  arch,
  count,
  orgs: { [org]: count },
});
const nothing = (org: string) => ({ metric: 'pulls', count: 0, orgs: { [org]: 0 } });

const controllerVectors: readonly Vector[] = [
  ...metrics.flatMap(([metric, path]): readonly Vector[] => [
    [both, `${path}?date=${D}`, { metric, count: 6, orgs: two }],
    [both, `${path}?date=${D}&org=org1.com`, { metric, count: 2, orgs: { 'org1.com': 2 } }],
    [both, `${path}?org=org1.com`, { metric, count: 2, orgs: { 'org1.com': 2 } }],
    [both, `${path}?org=org2.com`, { metric, count: 2, orgs: { 'org2.com': 2 } }],
    [both, path, { metric, count: 4, orgs: two }],
  ]),
  [v3, `builds?date=${D}&arch=arm64`, ofArm('builds')],
  [v3, `builds?date=${D}&org=org1.com&arch=amd64`, ofOne('builds', 'amd64', 'org1.com')],
  [v3, 'builds?org=org1.com&arch=amd64', ofOne('builds', 'amd64', 'org1.com')],
  [v3, 'builds?org=org1.com&arch=arm64', ofOne('builds', 'arm64', 'org1.com')],
  [v3, 'builds?arch=arm64', ofArm('builds')],
  [v3, 'pulls?org=org2.com&arch=arm64', ofOne('pulls', 'arm64', 'org2.com')],
  [v3, `fusion/pulls?date=${D}&arch=amd64`, ofOne('fusion', 'amd64', 'org1.com')],
  [v3, 'fusion/pulls?org=org2.com&arch=amd64', ofOne('fusion', 'amd64', 'org2.com', 0)],
  [v3, `fusion/pulls?date=${D}&org=org1.com&arch=arm64`, ofOne('fusion', 'arm64', 'org1.com')],
  [v3, 'scans?arch=amd64', ofOne('scans', 'amd64', 'org1.com')],
  [v3, 'mirrors?org=org2.com&arch=amd64', ofOne('mirrors', 'amd64', 'org2.com', 0)],
  [v3, 'mirrors?arch=arm64', ofArm('mirrors')],
  [both, 'pulls?date=2024-03-2', dateRefusal, 400],
  [v3, 'pulls?arch=64', archRefusal, 400],
  [both, 'pulls?org=absent.org', nothing('absent.org')],
  [both, 'pulls?org=ORG1.COM', nothing('ORG1.COM')],
  [both, 'pulls?date=1999-01-01', { metric: 'pulls', count: 0 }],
  [both, 'pulls?date=2024-99-99', { metric: 'pulls', count: 0 }],
  [v3, 'pulls?arch=aarch64', ofArm('pulls')],
  [v3, 'pulls?arch=x86_64&org=org1.com', ofOne('pulls', 'amd64', 'org1.com')],
  [v3, 'pulls?arch=arm', ofArm('pulls')],
  [v2, 'pulls?arch=arm64', pulls],
  [v2, 'pulls?arch=64', archRefusal, 400],
  [both, 'pulls?date=&org=', pulls],
  [v3, 'pulls?date=&org=&arch=', pulls],
  [v3, 'pulls?arch=AMD64', archRefusal, 400],
  // Both are invalid: the date is checked first. The first value of a repeated parameter counts; unknown ones are ignored.
  [both, 'pulls?arch=64&date=yesterday', dateRefusal, 400],
  [both, `pulls?date=${D}&date=yesterday&colour=red`, { metric: 'pulls', count: 6, orgs: two }],
  [both, 'pulls?date=2024-13-99', { metric: 'pulls', count: 0 }],
];

const emptyVectors: readonly Vector[] = [
  [both, 'pulls', { metric: 'pulls', count: 0 }],
  [v3, 'pulls?arch=amd64', { metric: 'pulls', arch: 'amd64', count: 0 }],
];

const serviceVectors: readonly Vector[] = metrics.flatMap(([metric, path]): readonly Vector[] => [
  [both, path, { metric, count: 2, orgs: one }],
  [both, `${path}?date=${D}`, { metric, count: 3, orgs: one }],
  [both, `${path}?org=org1.com`, { metric, count: 1, orgs: { 'org1.com': 1 } }],
  [both, `${path}?date=${D}&org=org2.com`, { metric, count: 1, orgs: { 'org2.com': 1 } }],
  [v3, `${path}?org=org1.com&arch=amd64`, ofOne(metric, 'amd64', 'org1.com')],
  [v3, `${path}?date=${D}&org=org2.com&arch=arm64`, ofOne(metric, 'arm64', 'org2.com')],
  [v3, `${path}?date=${D}&arch=arm64`, ofOne(metric, 'arm64', 'org2.com')],
  [v3, `${path}?arch=amd64`, ofOne(metric, 'amd64', 'org1.com')],
]);

const fixtures: readonly (readonly [string, readonly DimensionValues[], readonly Vector[]])[] = [
  ['the events of its controller', controllerEvents, controllerVectors],
  ['no events', [], emptyVectors],
  ['the events of its service', serviceEvents, serviceVectors],
];

describe.each(Object.entries(storeKinds))("Wave's API over %s", (_title, openKind) => {
  let kind: StoreKind;
  beforeAll(async () => void (kind = await openKind()));
  afterAll(() => kind.close());

  describe.each(fixtures)('with %s', (_name, events, vectors) => {
    let fixture: ApiFixture;
    beforeAll(async () => {
      fixture = await kind.open();
      const counts = metrics.flatMap(([meter]) => events.map((dimensions) => ({ meter, dimensions, quantity: 1n })));
      if (counts.length > 0) await fixture.ledger.record(counts);
      await kind.settle(fixture);
    });
    afterAll(() => fixture.close());

    const cases = vectors.map(([versions, question, body, status = 200]) => ({ versions, question, body, status }));
    test.each(cases)('$versions $question', async ({ versions, question, body, status }) => {
      for (const version of versions) {
        const response = await fixture.app.inject(`/${version}/metrics/${question}`);
        expect([response.statusCode, response.headers['content-type']]).toEqual([status, 'application/json']);
        expect(response.json()).toEqual(body);
        // Equal to the byte: no spaces, and the members in Wave's order.
        const { metric, arch, count, orgs, ...rest } = response.json<Record<string, unknown>>();
        expect(response.body).toBe(JSON.stringify({ ...rest, metric, arch, count, orgs }));
      }
    });

    test.each(both)(
      '%s: without credentials an invalid parameter gets 400, anything else 401 without a body',
      async (version) => {
        const ask = (question: string) =>
          fixture.app.inject({ url: `/${version}/metrics/${question}`, headers: { 'x-no-credentials': '1' } });
        expect((await ask('builds?date=x')).json()).toEqual(dateRefusal);
        const refused = await ask(`builds?date=${D}`);
        expect([refused.statusCode, refused.body]).toEqual([401, '']);
        expect(refused.headers['www-authenticate']).toBe('Basic realm=Wave Authentication');
        expect(refused.headers['content-length']).toBe('0');
      },
    );
  });
});
