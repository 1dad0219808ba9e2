import { LabelNames, type LabelSet } from '../../metric/index.ts';
import type { Dialect } from './dialect.ts';
import type { FamilyDraft } from './family-draft.ts';
import { ParseError } from './parse-error.ts';
import type { ParsedLabel, ParsedSample } from './sample-line.ts';

/** The samples of one point: those of one metric at one time. */
export interface PointGroup {
  /** The metric's labels, without the distinguishing one. */
  readonly labels: LabelSet;
  readonly timestamp: number | undefined;
  readonly samples: ParsedSample[];
}

/** The label that distinguishes the samples of one point: `le`, `quantile` or a state set's name; else `undefined`. */
export function distinguishingLabel(draft: FamilyDraft, sample: ParsedSample): string | undefined {
  switch (draft.type) {
    case 'histogram':
    case 'gaugehistogram':
      return sample.name === `${draft.name}_bucket` ? 'le' : undefined;
    case 'summary':
      return sample.name === draft.name ? 'quantile' : undefined;
    case 'stateset':
      return draft.name;
    default:
      return undefined;
  }
}

/** Builds label sets. Sets with the same names share the array of names. */
export class LabelSets {
  readonly #known = new Map<string, LabelNames>();

  of(labels: readonly ParsedLabel[]): LabelSet {
    return this.#named(labels.map(({ name }) => name)).of(labels.map(({ value }) => value));
  }

  /** A key that does not depend on the order of the labels. */
  keyOf(labels: readonly ParsedLabel[], set: LabelSet): string {
    const ascending = set.names.every((name, index) => index === 0 || (set.names[index - 1] ?? '') < name);
    return ascending ? set.text : this.of(labels.toSorted((a, b) => (a.name < b.name ? -1 : 1))).text;
  }

  #named(names: readonly string[]): LabelNames {
    const key = JSON.stringify(names);
    let known = this.#known.get(key);
    if (known === undefined) {
      known = new LabelNames(names);
      this.#known.set(key, known);
    }
    return known;
  }
}

/**
 * The points of a family, in the order of the text. The rules of OpenMetrics require that a metric's samples are
 * contiguous, except for an info, and that its points are in order of time; if a series occurs twice at one time, the
 * first sample counts. Otherwise the samples of a metric may be in any order. Throws `ParseError`.
 */
export function groupPoints(draft: FamilyDraft, dialect: Dialect): PointGroup[] {
  const sets = new LabelSets();
  const groups: PointGroup[] = [];
  const last = new Map<string, PointGroup>();
  const hasRules = dialect.rules && dialect.openMetrics;
  const series = new Set<string>();
  let current: string | undefined;
  for (const sample of draft.samples) {
    const distinguishing = distinguishingLabel(draft, sample);
    const identifying =
      distinguishing === undefined ? sample.labels : sample.labels.filter(({ name }) => name !== distinguishing);
    const labels = sets.of(identifying);
    const key = sets.keyOf(identifying, labels);
    const before = last.get(key);
    if (before !== undefined && hasRules && draft.type !== 'info') {
      if (key !== current) throw new ParseError(sample.line, 1, 'the samples of this metric are not contiguous');
      checkTime(before, sample);
    }
    const isNew = before === undefined || before.timestamp !== sample.timestamp;
    // A point of an info has one sample; points of other types are contiguous. So one set is enough.
    if (isNew || key !== current) series.clear();
    current = key;
    const name = `${sample.name} ${sample.labels.find((label) => label.name === distinguishing)?.value ?? ''}`;
    const isRepeated = !isNew && (draft.type === 'info' || series.has(name));
    series.add(name);
    if (isNew) {
      const group = { labels, timestamp: sample.timestamp, samples: [sample] };
      last.set(key, group);
      groups.push(group);
    } else if (hasRules && isRepeated) {
      dialect.warn(sample.line, 1, `${sample.name} occurs twice with the same labels and time; the first one counts`);
    } else {
      before.samples.push(sample);
    }
  }
  return groups;
}

function checkTime(before: PointGroup, sample: ParsedSample): void {
  if ((before.timestamp === undefined) !== (sample.timestamp === undefined)) {
    throw new ParseError(sample.line, 1, 'only some samples of this metric have a timestamp');
  }
  if ((sample.timestamp ?? 0) < (before.timestamp ?? 0)) {
    throw new ParseError(sample.line, 1, `the timestamps of this metric go backwards, from ${before.timestamp}`);
  }
}
