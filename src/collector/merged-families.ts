import { FamilyNames, lazily, type MetricFamily } from '../metric/index.ts';
import { SourceError } from './source-error.ts';
import { areApart, type SeriesLabels } from './static-labels.ts';

/** What one source, or this process, adds to an exposition. */
interface Part {
  readonly family: MetricFamily;
  readonly labels: SeriesLabels | undefined;
}

/**
 * The families of one exposition. A family that several sources have is one family with the series of all, if their
 * static labels tell them apart.
 */
export class MergedFamilies {
  readonly #names = new FamilyNames();
  readonly #parts = new Map<string, [Part, ...Part[]]>();

  /**
   * Adds families, or none: throws `SourceError` (`invalid`) if one clashes with another one or with earlier ones.
   * Families without `labels` are never merged.
   */
  add(families: readonly MetricFamily[], labels?: SeriesLabels): void {
    const own = new FamilyNames();
    for (const family of families) {
      const clash = own.clash(family) ?? this.#clash(family, labels);
      if (clash !== undefined) throw new SourceError('invalid', `${family.type} ${family.name}: ${clash}`);
      own.claim(family);
    }
    for (const family of families) {
      const parts = this.#parts.get(family.name);
      if (parts === undefined) {
        this.#names.claim(family);
        this.#parts.set(family.name, [{ family, labels }]);
      } else parts.push({ family, labels });
    }
  }

  /** The families in the order in which their names were added. */
  families(): readonly MetricFamily[] {
    return Array.from(this.#parts.values(), ([first, ...others]) =>
      joined([first.family, ...others.map(({ family }) => family)]),
    );
  }

  #clash(family: MetricFamily, labels: SeriesLabels | undefined): string | undefined {
    const parts = this.#parts.get(family.name);
    if (parts === undefined || parts[0].family.type !== family.type) return this.#names.clash(family);
    const isApart = ({ labels: others }: Part): boolean =>
      labels !== undefined && others !== undefined && areApart(labels, others);
    if (!parts.every(isApart)) {
      return `${this.#names.clash(family)} of another source; \`labels\` of both sources that differ tell them apart`;
    }
    return differenceOf(parts[0].family, family);
  }
}

/** The first difference of two families of one name and type, as a sentence; `undefined` if only their points differ. */
function differenceOf(family: MetricFamily, other: MetricFamily): string | undefined {
  const [expected, got] = [metadataOf(family), metadataOf(other)];
  const key = [...expected.keys(), ...got.keys()].find((name) => expected.get(name) !== got.get(name));
  if (key === undefined) return undefined;
  return `expected the ${key} of the same family of another source, ${expected.get(key)}, got ${got.get(key)}`;
}

/** What describes a family, by key, as JSON. An empty text is the same as none. */
function metadataOf(family: MetricFamily): ReadonlyMap<string, string> {
  const entries = Object.entries(family).filter(
    ([key, value]) => key !== 'points' && value !== undefined && value !== '',
  );
  return new Map(entries.map(([key, value]) => [key, JSON.stringify(value)]));
}

/** One family with the points of all, which have the same type. */
function joined<F extends MetricFamily>(families: readonly [F, ...F[]]): F {
  const [first] = families;
  if (families.length === 1) return first;
  return {
    ...first,
    points: lazily(function* () {
      for (const { points } of families) yield* points;
    }),
  };
}
