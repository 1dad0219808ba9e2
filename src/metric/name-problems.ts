import type { FamilyNames } from './family-names.ts';
import type { MetricFamily } from './family.ts';
import { labelNamesProblem } from './label-problems.ts';
import { shown } from './misuse.ts';
import { isLegacyLabelName } from './names.ts';
import { reservedLabels } from './sample-names.ts';

/** The first problem of a family's name, unit or label names, as a sentence; `undefined` if there is none. */
export function familyProblem(family: MetricFamily, labels: readonly string[]): string | undefined {
  const { name, type } = family;
  if (name === '' || !name.isWellFormed()) return 'expected a name of UTF-8 text';
  if (name.startsWith('_')) return 'names that begin with an underscore are reserved';
  if (type === 'counter' && name.endsWith('_total')) {
    return 'expected the name without _total, which is added to the sample';
  }
  if (type === 'info' && name.endsWith('_info')) {
    return 'expected the name without _info, which is added to the sample';
  }
  if (type === 'stateset' && !isLegacyLabelName(name)) {
    return 'expected a name of letters, digits and underscores, because it is also a label name';
  }
  return unitProblem(family) ?? labelNamesProblem(labels, reservedLabels(type, name));
}

function unitProblem({ unit = '', type, name }: MetricFamily): string | undefined {
  if (unit === '') return undefined;
  if (type === 'info' || type === 'stateset') return `expected no unit for this type, got ${shown(unit)}`;
  return name.endsWith(`_${unit}`) ? undefined : `expected a name that ends with its unit, _${unit}`;
}

/** Claims a family's names, or returns the problem of the names or the clash with another family. */
export function claimNames(names: FamilyNames, family: MetricFamily, labels: readonly string[]): string | undefined {
  const problem = familyProblem(family, labels) ?? names.clash(family);
  if (problem === undefined) names.claim(family);
  return problem;
}
