import { median } from './cases.ts';

/** One of the things compared; `measure` runs it once and answers its figure. */
export interface Candidate {
  readonly name: string;
  measure(): Promise<number> | number;
}

export interface Measured {
  readonly name: string;
  readonly median: number;
  readonly figures: readonly number[];
}

/**
 * Measures all candidates in turn, `rounds` times, after one round that does not count: A B C A B C..., so that a
 * machine that gets slower or busier in between does it to all of them.
 */
export async function inTurns(candidates: readonly Candidate[], rounds: number): Promise<readonly Measured[]> {
  const figures = new Map<string, number[]>(candidates.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const candidate of candidates) {
      const figure = await candidate.measure();
      if (round > 0) figures.get(candidate.name)?.push(figure);
    }
  }
  return candidates.map(({ name }) => {
    const measured = figures.get(name) ?? [];
    return { name, figures: measured, median: median(measured) };
  });
}

/** Does `count` pieces of work, and answers how many a second. `prepare` is not timed, only what it answers. */
export function perSecond(name: string, count: number, prepare: () => () => Promise<void> | void): Candidate {
  return {
    name,
    async measure() {
      const run = prepare();
      globalThis.gc?.();
      const start = performance.now();
      await run();
      return count / ((performance.now() - start) / 1000);
    },
  };
}

/** A line for people: the median, and the range that the figures lay in. */
export function describe({ name, figures, median: middle }: Measured, unit: string): string {
  const show = (figure: number): string => figure.toLocaleString('en', { maximumSignificantDigits: 4 });
  return `${name.padEnd(36)} ${show(middle).padStart(10)} ${unit}   (${show(Math.min(...figures))} to ${show(Math.max(...figures))})`;
}
