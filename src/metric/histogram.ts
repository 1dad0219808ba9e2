import { bucketOf } from './buckets.ts';
import type { Exemplar, HistogramPoint, NativeHistogram } from './family.ts';
import type { Instrument } from './instrument.ts';
import type { LabelSet } from './labels.ts';
import { misuse, shown } from './misuse.ts';
import { NativeBuckets, type NativeOptions } from './native-buckets.ts';

interface HistogramLayout {
  /** Finite upper bounds, ascending. */
  readonly bounds: readonly number[];
  /** Sparse exponential buckets in addition to `bounds`. */
  readonly native: NativeOptions | undefined;
}

/** One series of a histogram. `observe` allocates nothing; reading `counts` adds the buckets up. */
export class Histogram implements HistogramPoint {
  readonly labels: LabelSet;
  readonly bounds: readonly number[];
  readonly created: number | undefined;
  readonly #instrument: Instrument;
  /** Observations per bucket, not cumulative. The last is `+Inf`. */
  readonly #inBucket: Float64Array;
  readonly #native: NativeBuckets | undefined;
  #exemplars: (Exemplar | undefined)[] | undefined;
  #sum = 0;
  #sumMayFall: boolean;

  constructor(instrument: Instrument, labels: LabelSet, layout: HistogramLayout) {
    this.#instrument = instrument;
    this.labels = labels;
    this.bounds = layout.bounds;
    this.created = instrument.now();
    this.#sumMayFall = (layout.bounds[0] ?? 0) < 0;
    this.#inBucket = new Float64Array(layout.bounds.length + 1);
    this.#native = layout.native === undefined ? undefined : new NativeBuckets(layout.native);
  }

  /** Counts one observation. Throws (`BUG:`) for NaN, because the sum would stay NaN. */
  observe(value: number): void {
    if (!(value >= -Infinity)) this.#refuse(value);
    const bucket = bucketOf(this.bounds, value);
    this.#inBucket[bucket] = (this.#inBucket[bucket] ?? 0) + 1;
    this.#sum += value;
    if (value < 0) this.#sumMayFall = true;
    this.#native?.observe(value);
  }

  /** Counts like `observe` and replaces the bucket's exemplar. */
  observeWithExemplar(value: number, labels: Readonly<Record<string, string>>): void {
    this.observe(value);
    this.#exemplars ??= Array.from({ length: this.bounds.length + 1 }, () => undefined);
    this.#exemplars[bucketOf(this.bounds, value)] = this.#instrument.exemplar(labels, value);
  }

  get counts(): readonly number[] {
    let total = 0;
    return Array.from(this.#inBucket, (count) => (total += count));
  }

  /** Absent if a bound or an observation is negative: a sum that may fall is no counter (OpenMetrics 1.0). */
  get sum(): number | undefined {
    return this.#sumMayFall ? undefined : this.#sum;
  }

  get exemplars(): readonly (Exemplar | undefined)[] | undefined {
    return this.#exemplars;
  }

  get native(): NativeHistogram | undefined {
    return this.#native?.read(this.#sum);
  }

  #refuse(value: unknown): never {
    return misuse(this.#instrument.subjectOf(this.labels), `expected a number to observe, got ${shown(value)}`);
  }
}
