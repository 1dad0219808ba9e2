import fc from 'fast-check';
import { labelSet, type Exemplar, type LabelSet, type MetricFamily } from '../../metric/index.ts';

/** Any Unicode text for label values and help, with frequent characters that the formats escape. */
const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom('"', '\\', '\n', '{', '}', ',', '=', ' ', '#', 'n'),
    fc.string({ unit: 'binary', maxLength: 1 }),
  ),
  maxLength: 12,
});
const lowerCase = fc.string({ unit: fc.constantFrom('a', 'b', 'z', '_', '0', '9'), maxLength: 6 });
const seconds = fc.option(
  fc.integer({ min: -1000, max: 2_000_000_000_000 }).map((ms) => ms / 1000),
  { nil: undefined },
);
const amount = fc.oneof(
  fc.nat(),
  fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n }),
);
const anyNumber = fc.oneof(fc.integer(), fc.double());

function labelsWith(names: fc.Arbitrary<string>): fc.Arbitrary<Record<string, string>> {
  return fc.dictionary(names, text, { maxKeys: 3, noNullPrototype: true });
}

/** Family and label names: legacy names, or names that must be quoted or escaped. */
interface Naming {
  readonly family: fc.Arbitrary<string>;
  readonly labels: fc.Arbitrary<Record<string, string>>;
}

const legacyNaming: Naming = {
  family: lowerCase.map((middle) => `m${middle}x`),
  labels: labelsWith(lowerCase.map((rest) => `l${rest}`)),
};

const utf8Naming: Naming = {
  family: text.map((middle) => `m.${middle}x`),
  labels: labelsWith(fc.constantFrom('http.method', 'größe', 'a"b', 'plain', '日本')),
};

/** The reference parser reads an exemplar's labels up to the first brace, even inside quotes. */
const exemplarText = fc.string({ unit: fc.constantFrom('a', 'Z', '0', 'ä', '日', ' '), maxLength: 12 });

const exemplar: fc.Arbitrary<Exemplar | undefined> = fc.option(
  fc.record({
    labels: fc
      .dictionary(fc.constantFrom('trace_id', 'span_id'), exemplarText, { noNullPrototype: true })
      .map(labelSet),
    value: fc.constant(0),
    timestamp: seconds,
  }),
  { nil: undefined },
);

/** Points with distinct label sets; either all have a timestamp or none has. */
function points<P extends object>(
  naming: Naming,
  point: fc.Arbitrary<P>,
): fc.Arbitrary<(P & { labels: LabelSet; timestamp: number | undefined })[]> {
  const distinct = fc.uniqueArray(fc.tuple(naming.labels, point), {
    maxLength: 4,
    selector: ([labels]) => JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))),
  });
  return fc
    .tuple(distinct, seconds)
    .map(([drawn, timestamp]) => drawn.map(([labels, rest]) => ({ ...rest, labels: labelSet(labels), timestamp })));
}

const buckets = fc
  .tuple(
    fc.uniqueArray(
      fc.double({ min: 0, max: 1e9, noNaN: true }).map((bound) => bound + 0),
      { maxLength: 4 },
    ),
    fc.array(fc.nat(1000), { minLength: 5, maxLength: 5 }),
  )
  .map(([drawn, steps]) => {
    const bounds = drawn.sort((a, b) => a - b);
    let total = 0;
    return { bounds, counts: steps.slice(0, bounds.length + 1).map((step) => (total += step)) };
  });

const histogram = fc
  .tuple(buckets, fc.option(amount, { nil: undefined }), exemplar, seconds)
  .map(([drawn, sum, last, created]) => ({
    ...drawn,
    sum,
    created,
    exemplars: drawn.counts.map((_, index) => (index === drawn.bounds.length ? last : undefined)),
  }));

const summary = fc.record({
  sum: amount,
  count: fc.nat(),
  quantiles: fc.constant([0.5, 0.99]),
  values: fc.tuple(fc.double({ min: 0 }), fc.constant(NaN)),
  created: seconds,
});

const states = fc
  .uniqueArray(text, { minLength: 1, maxLength: 3 })
  .chain((names) =>
    fc.tuple(fc.constant(names), fc.array(fc.boolean(), { minLength: names.length, maxLength: names.length })),
  )
  .map(([names, on]) => ({ states: names, on }));

const facts = fc.dictionary(fc.constantFrom('version', 'revision'), text, { noNullPrototype: true }).map(labelSet);

function family(naming: Naming): fc.Arbitrary<MetricFamily> {
  const withMetadata = <F extends object>(
    rest: fc.Arbitrary<F>,
    unit: boolean,
  ): fc.Arbitrary<F & { name: string; help: string; unit: string | undefined }> =>
    fc
      .tuple(naming.family, text, fc.option(fc.constant('seconds'), { nil: undefined }), rest)
      .map(([name, help, drawn, others]) => {
        const chosen = unit ? drawn : undefined;
        return { ...others, name: chosen === undefined ? name : `${name}_${chosen}`, help, unit: chosen };
      });
  const of = <T extends MetricFamily['type'], P extends object>(type: T, point: fc.Arbitrary<P>, unit = true) =>
    withMetadata(
      points(naming, point).map((drawn) => ({ type, points: drawn })),
      unit,
    );
  const stateSet = withMetadata(
    points(naming, states).map((drawn) => ({ type: 'stateset' as const, points: drawn })),
    false,
  ).map((drawn) => ({ ...drawn, name: drawn.name.replace(/[^a-z0-9]/g, 'q') }));
  return fc.oneof(
    of('gauge', fc.record({ value: anyNumber })),
    of('unknown', fc.record({ value: anyNumber })),
    of('counter', fc.record({ value: amount, created: seconds, exemplar })),
    of('info', fc.record({ info: facts }), false),
    of('histogram', histogram),
    of('gaugehistogram', histogram),
    of('summary', summary),
    stateSet,
  );
}

function families(naming: Naming): fc.Arbitrary<MetricFamily[]> {
  return fc
    .array(family(naming), { maxLength: 5 })
    .map((drawn) => drawn.map((one, index): MetricFamily => ({ ...one, name: `f${index}${one.name}` })));
}

/** Families with legacy names, which every format supports. */
export const legacyFamilies = families(legacyNaming);

/** Families whose names must be quoted or escaped. */
export const utf8Families = families(utf8Naming);
