/**
 * How names that are not legacy names are written for older readers (Prometheus documentation, "Escaping schemes").
 * `allow-utf-8` keeps the name; text formats quote it.
 */
export const escapingSchemes = ['allow-utf-8', 'underscores', 'dots', 'values'] as const;
export type EscapingScheme = (typeof escapingSchemes)[number];

const firstRune = /^[a-zA-Z_:]$/;
const laterRune = /^[a-zA-Z0-9_:]$/;

/**
 * Escapes a name. `colons`: whether a colon is legal, as it is in metric names. The scheme `dots` also doubles the
 * underscores of legacy names, so that it is reversible.
 */
export function escapeName(name: string, scheme: EscapingScheme, colons: boolean): string {
  if (scheme === 'allow-utf-8') return name;
  const runes = Array.from(name);
  const legal = (rune: string, index: number): boolean =>
    (index === 0 ? firstRune : laterRune).test(rune) && (colons || rune !== ':');
  const plain = runes.every(legal);
  if (plain && (scheme !== 'dots' || !name.includes('_'))) return name;
  const escaped = runes.map((rune, index) => escapeRune(rune, legal(rune, index), scheme)).join('');
  return scheme === 'values' ? `U__${escaped}` : escaped;
}

function escapeRune(rune: string, legal: boolean, scheme: 'underscores' | 'dots' | 'values'): string {
  if (scheme === 'underscores') return legal ? rune : '_';
  if (rune === '_') return '__';
  if (legal) return rune;
  if (scheme === 'dots') return rune === '.' ? '_dot_' : '__';
  return `_${(rune.codePointAt(0) ?? 0xfffd).toString(16)}_`;
}
