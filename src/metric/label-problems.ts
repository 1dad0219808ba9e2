import { shown } from './misuse.ts';
import { isLegacyLabelName, underscored } from './names.ts';

/**
 * What is wrong with label names: empty, there twice, or reserved. Names beginning with an underscore are reserved for
 * the formats themselves (OpenMetrics 1.0, "Label"), `reserved` for the family's type.
 */
export function labelNamesProblem(names: readonly string[], reserved: readonly string[] = []): string | undefined {
  const seen = new Set<string>();
  for (const name of names) {
    if (name === '' || !name.isWellFormed()) return `expected a label name of UTF-8 text, got ${shown(name)}`;
    if (name.startsWith('_')) return `label ${shown(name)} begins with an underscore, which is reserved`;
    if (reserved.includes(name)) return `label ${shown(name)} is reserved for this type`;
    const asRead = underscored(name, isLegacyLabelName);
    if (seen.has(asRead)) return `label ${shown(name)} is there twice, or differs from another in punctuation only`;
    seen.add(asRead);
  }
  return undefined;
}
