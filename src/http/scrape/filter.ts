import { sampleSuffixes, type MetricFamily } from '../../metric/index.ts';

/**
 * Only the families that are named (`?name[]=...`), by the family's name or by that of one of its samples. None named:
 * all of them.
 */
export function filterFamilies(families: readonly MetricFamily[], names: readonly string[]): readonly MetricFamily[] {
  if (names.length === 0) return families;
  const wanted = new Set(names);
  return families.filter(
    ({ name, type }) => wanted.has(name) || sampleSuffixes[type].some((suffix) => wanted.has(`${name}${suffix}`)),
  );
}
