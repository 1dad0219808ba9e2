import type { MetricFamily } from '../../metric/index.ts';

/** Suffixes by which people know the samples of a family, and so ask for it. */
const suffixes = ['', '_total', '_info', '_bucket', '_count', '_sum', '_created'];

/**
 * Only the families that are named (`?name[]=...`), by the family's name or by that of one of its samples. None named:
 * all of them.
 */
export function filterFamilies(families: readonly MetricFamily[], names: readonly string[]): readonly MetricFamily[] {
  if (names.length === 0) return families;
  const wanted = new Set(names);
  return families.filter(({ name }) => suffixes.some((suffix) => wanted.has(`${name}${suffix}`)));
}
