import { shown } from './misuse.ts';
import { isLegacyLabelName, underscored } from './names.ts';

/**
 * The first problem of these label names, or `undefined`: empty, repeated or reserved. Names that begin with an underscore are
 * reserved for the formats (OpenMetrics 1.0, "Label"); `reserved` lists the names that the family's type needs.
 */
export function labelNamesProblem(names: readonly string[], reserved: readonly string[] = []): string | undefined {
  const seen = new Set<string>();
  for (const name of names) {
    if (name === '' || !name.isWellFormed()) return `expected a label name of UTF-8 text, got ${shown(name)}`;
    if (name.startsWith('_')) return `label ${shown(name)} begins with an underscore, which is reserved`;
    if (reserved.includes(name)) return `label ${shown(name)} is reserved for this type`;
    const escaped = underscored(name, isLegacyLabelName);
    if (seen.has(escaped)) return `label ${shown(name)} occurs twice, or differs from another only in punctuation`;
    seen.add(escaped);
  }
  return undefined;
}
