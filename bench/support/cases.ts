/** One comparison: two figures of the same kind, measured in the same run. */
export interface BenchCase {
  readonly bench: string;
  /** The candidate and the one it is compared with. */
  readonly case: string;
  readonly ours: number;
  readonly peer: number;
  readonly unit: string;
  /** Which of two figures is the better one. */
  readonly better: 'higher' | 'lower';
}

/** The case's line of JSON: the last lines of a benchmark's output. `ratio` is how many times better ours is. */
export function caseLine({ better, ...figures }: BenchCase): string {
  const { ours, peer, unit } = figures;
  const ratio = better === 'higher' ? ours / peer : peer / ours;
  const { bench, case: name } = figures;
  return JSON.stringify({ bench, case: name, ours: round(ours), peer: round(peer), ratio: round(ratio), unit });
}

/** Three digits that mean something. */
function round(figure: number): number {
  return Number(figure.toPrecision(4));
}

/** The middle one of the figures (of an even number: the mean of the middle two). */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = sorted.length % 2 === 0 ? [sorted[middle - 1], sorted[middle]] : [sorted[middle], sorted[middle]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}
