import { bucketOf } from './buckets.ts';
import type { NativeBucket, NativeHistogram } from './family.ts';
import { misuse } from './misuse.ts';

export interface NativeOptions {
  /** Initial resolution, -4 to 8: a bucket's bounds differ by the factor 2^(2^-schema). Default: 3 (9 %). */
  readonly schema?: number | undefined;
  /** Magnitudes up to this count as zero. Default: 2^-128. */
  readonly zeroThreshold?: number | undefined;
  /** The most buckets of one series, both signs together. Exceeding it halves the resolution. Default: 160. */
  readonly bucketsMax?: number | undefined;
}

const schemaMin = -4;
const schemaMax = 8;

/** Throws (`BUG:`) for options that are out of range. */
export function checkNative(subject: string, options: NativeOptions): void {
  const { schema = 3, zeroThreshold = 0, bucketsMax = 1 } = options;
  if (!Number.isInteger(schema) || schema < schemaMin || schema > schemaMax) {
    misuse(subject, `expected a native schema from ${schemaMin} to ${schemaMax}, got ${schema}`);
  }
  if (!(zeroThreshold >= 0 && zeroThreshold < Infinity)) {
    misuse(subject, `expected a finite zero threshold of at least 0, got ${zeroThreshold}`);
  }
  if (!Number.isInteger(bucketsMax) || bucketsMax < 1) {
    misuse(subject, `expected a whole number of native buckets, got ${bucketsMax}`);
  }
}

/** Sparse buckets with exponentially growing bounds, which need not be chosen in advance. */
export class NativeBuckets {
  readonly #zeroThreshold: number;
  readonly #bucketsMax: number;
  #schema: number;
  #bounds: readonly number[];
  #positive = new Map<number, number>();
  #negative = new Map<number, number>();
  #zeroCount = 0;
  #count = 0;

  constructor(options: NativeOptions) {
    this.#schema = options.schema ?? 3;
    this.#zeroThreshold = options.zeroThreshold ?? 2 ** -128;
    this.#bucketsMax = options.bucketsMax ?? 160;
    this.#bounds = fractionBounds(this.#schema);
  }

  /** Counts one value: any number or infinity except NaN. */
  observe(value: number): void {
    this.#count++;
    if (Math.abs(value) <= this.#zeroThreshold) {
      this.#zeroCount++;
      return;
    }
    const buckets = value > 0 ? this.#positive : this.#negative;
    const index = this.#indexOf(Math.abs(value));
    buckets.set(index, (buckets.get(index) ?? 0) + 1);
    while (this.#positive.size + this.#negative.size > this.#bucketsMax && this.#schema > schemaMin) this.#coarsen();
  }

  /** A copy of the buckets. The caller keeps the sum. */
  read(sum: number): NativeHistogram {
    return {
      schema: this.#schema,
      zeroThreshold: this.#zeroThreshold,
      zeroCount: this.#zeroCount,
      positive: ascending(this.#positive),
      negative: ascending(this.#negative),
      count: this.#count,
      sum,
    };
  }

  /** Bucket i holds values above base^(i-1) and up to base^i. Infinity is in the bucket after the largest number's. */
  #indexOf(magnitude: number): number {
    if (magnitude === Infinity) return this.#indexOf(Number.MAX_VALUE) + 1;
    const { fraction, exponent } = splitFloat(magnitude);
    if (this.#schema > 0) return bucketOf(this.#bounds, fraction) + (exponent - 1) * this.#bounds.length;
    const ceiling = fraction === 0.5 ? exponent - 1 : exponent;
    return Math.ceil(ceiling / 2 ** -this.#schema);
  }

  /** Lowers the schema by one, which merges buckets 2i-1 and 2i into bucket i. */
  #coarsen(): void {
    this.#schema--;
    this.#bounds = fractionBounds(this.#schema);
    this.#positive = merged(this.#positive);
    this.#negative = merged(this.#negative);
  }
}

/** The bucket bounds of fractions, from 0.5 to 1. */
function fractionBounds(schema: number): readonly number[] {
  const count = schema > 0 ? 2 ** schema : 1;
  return Array.from({ length: count }, (_, index) => 2 ** (index / count - 1));
}

/** `value` = fraction * 2^exponent with 0.5 <= fraction < 1, for finite values above 0. */
function splitFloat(value: number): { readonly fraction: number; readonly exponent: number } {
  if (value < 2 ** -1022) {
    const scaled = splitFloat(value * 2 ** 60);
    return { fraction: scaled.fraction, exponent: scaled.exponent - 60 };
  }
  let exponent = Math.floor(Math.log2(value)) + 1;
  // The logarithm may round across a power of two. Dividing in two steps avoids 2^1024, which is infinite.
  let fraction = (value / 2 ** (exponent - 1)) * 0.5;
  if (fraction >= 1) {
    fraction /= 2;
    exponent++;
  } else if (fraction < 0.5) {
    fraction *= 2;
    exponent--;
  }
  return { fraction, exponent };
}

function merged(buckets: ReadonlyMap<number, number>): Map<number, number> {
  const coarser = new Map<number, number>();
  for (const [index, count] of buckets) {
    const target = Math.ceil(index / 2);
    coarser.set(target, (coarser.get(target) ?? 0) + count);
  }
  return coarser;
}

function ascending(buckets: ReadonlyMap<number, number>): NativeBucket[] {
  return Array.from(buckets, ([index, count]) => ({ index, count })).sort((a, b) => a.index - b.index);
}
