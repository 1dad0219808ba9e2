import { sampleSuffixes, type MetricFamily } from '../../metric/index.ts';

/**
 * Returns the families selected by `?name[]=`, by the name of the family or of one of its samples. Without names: all
 * families.
 */
export function filterFamilies(families: readonly MetricFamily[], names: readonly string[]): readonly MetricFamily[] {
  if (names.length === 0) return families;
  const wanted = new Set(names);
  return families.filter(
    ({ name, type }) => wanted.has(name) || sampleSuffixes[type].some((suffix) => wanted.has(`${name}${suffix}`)),
  );
}
