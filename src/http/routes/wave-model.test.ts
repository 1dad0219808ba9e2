import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scaled } from '../../../test/support/long.ts';
import type { DimensionValues } from '../../usage/index.ts';
import { fixtureTime } from '../testing/api-fixture.ts';
import { storeKinds, type StoreKind } from '../testing/wave-stores.ts';

const paths = new Map(
  Object.entries({ builds: 'builds', pulls: 'pulls', fusion: 'fusion/pulls', scans: 'scans', mirrors: 'mirrors' }),
);
const metrics = [...paths.keys()];
const dayMs = 86_400_000;
const times = [fixtureTime - dayMs, fixtureTime];
const dateOf = (time: number): string => new Date(time).toISOString().slice(0, 10);
const canonical: Readonly<Record<string, string>> = { amd64: 'amd64', aarch64: 'arm64', arm: 'arm64' };

interface Event {
  readonly meter: string;
  readonly time: number;
  readonly dimensions: DimensionValues;
  readonly quantity: bigint;
}
interface Question {
  readonly metric: string;
  readonly version: string;
  readonly date?: string;
  readonly org?: string;
  readonly arch?: string;
}

const event: fc.Arbitrary<Event> = fc.record({
  meter: fc.constantFrom(...metrics),
  time: fc.constantFrom(...times),
  dimensions: fc.record(
    { org: fc.constantFrom('a.org', 'b.org'), arch: fc.constantFrom('amd64', 'arm64'), repository: fc.constant('x') },
    { requiredKeys: [] },
  ),
  quantity: fc.oneof(fc.bigInt({ min: 1n, max: 5n }), fc.constant(2n ** 40n)),
});

/** Every combination, including absent parameters. */
const questions: readonly Question[] = metrics.flatMap((metric) =>
  ['v1alpha2', 'v1alpha3'].flatMap((version) =>
    [undefined, ...times.map(dateOf), '2024-99-99'].flatMap((date) =>
      [undefined, 'a.org', 'b.org', 'absent.org'].flatMap((org) =>
        [undefined, ...Object.keys(canonical)].map((arch) => ({
          metric,
          version,
          ...(date !== undefined && { date }),
          ...(org !== undefined && { org }),
          ...(arch !== undefined && { arch }),
        })),
      ),
    ),
  ),
);

/** The answer of Wave, computed from all events by its documented rules. */
function answerOfWave(events: readonly Event[], { metric, version, date, org, arch: named }: Question): object {
  const arch = version === 'v1alpha3' && named !== undefined ? canonical[named] : undefined;
  const matching = events.filter(
    ({ meter, time, dimensions }) =>
      meter === metric &&
      (date === undefined || dateOf(time) === date) &&
      (arch === undefined || dimensions.arch === arch),
  );
  const sumOf = (some: readonly Event[]) => Number(some.reduce((sum, { quantity }) => sum + quantity, 0n));
  const common = { metric, ...(arch !== undefined && { arch }) };
  if (org !== undefined) {
    const count = sumOf(matching.filter(({ dimensions }) => dimensions.org === org));
    return { ...common, count, orgs: { [org]: count } };
  }
  const withOrg = matching.filter(({ dimensions }) => dimensions.org !== undefined);
  const byOrg = [...Map.groupBy(withOrg, ({ dimensions }) => dimensions.org ?? '')];
  const orgs = Object.fromEntries(byOrg.map(([name, some]) => [name, sumOf(some)]));
  const count = sumOf(date === undefined && arch === undefined ? withOrg : matching);
  return { ...common, count, ...(byOrg.length > 0 && { orgs }) };
}

describe.each(Object.entries(storeKinds))('over %s', (_title, openKind) => {
  let kind: StoreKind;
  beforeAll(async () => void (kind = await openKind()));
  afterAll(() => kind.close());

  test(
    'every query of any events gets the same answer as in Wave',
    async () => {
      const property = fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 40 }), async (events) => {
        let now = fixtureTime;
        const fixture = await kind.open({ now: () => now });
        for (const { time, ...count } of events) {
          now = time;
          await fixture.ledger.record([count]);
        }
        now = fixtureTime;
        await kind.settle(fixture);
        const answers: unknown[] = [];
        for (const { metric, version, ...query } of questions) {
          const url = `/${version}/metrics/${paths.get(metric)}`;
          const response = await fixture.app.inject({ url, query });
          answers.push(response.json());
        }
        await fixture.close();
        expect(answers).toEqual(questions.map((question) => answerOfWave(events, question)));
      });
      await fc.assert(property, { numRuns: scaled(3, 40) });
    },
    scaled(600_000, 1_800_000),
  );
});
