/**
 * How a name that older readers cannot take is shown to them (Prometheus documentation, "Escaping schemes"). With
 * `allow-utf-8` the name is kept and, in text, quoted.
 */
export const escapingSchemes = ['allow-utf-8', 'underscores', 'dots', 'values'] as const;
export type EscapingScheme = (typeof escapingSchemes)[number];

const legacyRune = /^[a-zA-Z_:]$/;
const laterRune = /^[a-zA-Z0-9_:]$/;

/**
 * The name under a scheme. `colons`: whether a colon is legal, as in metric names. `dots` changes legacy names too
 * (underscores are doubled), so that it can be undone.
 */
export function escapeName(name: string, scheme: EscapingScheme, colons: boolean): string {
  if (scheme === 'allow-utf-8') return name;
  const runes = Array.from(name);
  const legal = (rune: string, index: number): boolean =>
    (index === 0 ? legacyRune : laterRune).test(rune) && (colons || rune !== ':');
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
