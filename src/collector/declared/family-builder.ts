import { LabelNames, noLabels, type LabelSet, type MetricFamily, type Value } from '../../metric/index.ts';
import { SourceError } from '../source-error.ts';
import { labelOf, numberOf, type Cell } from './cell.ts';
import type { DeclaredMetric } from './metric.ts';

/** How a driver reads the cells of one row or node. */
export interface CellReader<Place> {
  cell(place: Place): Cell;
  /** The place in words, for errors: `column "n" of the query "users"`. */
  describe(place: Place): string;
}

/** The values of one series: one, or those of a histogram. */
type SeriesValue = Value | { readonly counts: readonly Value[]; readonly sum: Value | undefined };

/**
 * Builds the family of one declared metric from the rows of a read. A row without a value (`null`) gives no series: it
 * never becomes 0 or NaN. Throws a `SourceError` (`invalid`) for a value of another type and for labels that came before.
 */
export class DeclaredFamilyBuilder<Place> {
  readonly #metric: DeclaredMetric<Place>;
  readonly #names: LabelNames;
  readonly #statics: readonly string[];
  readonly #labelPlaces: readonly Place[];
  readonly #series = new Map<string, { readonly labels: LabelSet; readonly value: SeriesValue }>();
  /** Rows without a value. */
  omitted = 0;

  constructor(metric: DeclaredMetric<Place>) {
    this.#metric = metric;
    this.#names = new LabelNames([...Object.keys(metric.staticLabels), ...Object.keys(metric.labels)]);
    this.#statics = Object.values(metric.staticLabels);
    this.#labelPlaces = Object.values(metric.labels);
  }

  get name(): string {
    return this.#metric.name;
  }

  get seriesCount(): number {
    return this.#series.size;
  }

  /** Adds the series of one row. */
  add(row: CellReader<Place>): void {
    const value = this.#valueOf(row);
    const read = (place: Place) => labelOf(row.cell(place), row.describe(place));
    const labels = this.#names.of([...this.#statics, ...this.#labelPlaces.map(read)]);
    if (value === null) {
      this.omitted++;
      return;
    }
    if (this.#series.has(labels.closed)) throw this.#repeated(labels);
    this.#series.set(labels.closed, { labels, value });
  }

  /** The family of all rows so far. Without rows, it has no series. */
  family(): MetricFamily {
    const { name, type, help, unit, buckets } = this.#metric;
    const series = [...this.#series.values()];
    const common = { name, help, ...(unit !== undefined && { unit }) };
    if (type === 'info') {
      return { type, name, help, points: series.map(({ labels }) => ({ labels: noLabels, info: labels })) };
    }
    if (type === 'histogram' || type === 'gaugehistogram') {
      const bounds = buckets.map(({ le }) => le);
      const points = series.flatMap(({ labels, value }) =>
        typeof value === 'object' ? [{ labels, bounds, counts: value.counts, sum: value.sum }] : [],
      );
      return { ...common, type, points };
    }
    const points = series.flatMap(({ labels, value }) => (typeof value === 'object' ? [] : [{ labels, value }]));
    return { ...common, type, points };
  }

  #valueOf(row: CellReader<Place>): SeriesValue | null {
    const { type, value, buckets, count, sum } = this.#metric;
    const read = (place: Place) => numberOf(row.cell(place), row.describe(place));
    if (type === 'info') return 1;
    if (value !== undefined) return read(value);
    const cells = [...buckets.map(({ place }) => place), ...(count === undefined ? [] : [count])].map(read);
    const counts = cells.filter((cell) => cell !== null);
    const total = sum === undefined ? undefined : read(sum);
    return counts.length < cells.length || total === null ? null : { counts, sum: total };
  }

  #repeated(labels: LabelSet): SourceError {
    const { type, name } = this.#metric;
    const message = `${type} ${name}{${labels.text}}: expected each label set once, but it came twice`;
    return new SourceError('invalid', message, { kind: `${type} ${name}: a label set came twice` });
  }
}
