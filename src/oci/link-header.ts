import { Scanner } from './scanner.ts';

const separators = /[ \t,]*/y;
const bracketed = /<([^>]*)>/y;
const bare = /[^;<]+/y;
const parameterStart = /[ \t]*;[ \t]*/y;
const parameter = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*(?:=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^;,]*)))?/y;

/** The relation types of a link, in lower case. The first `rel` wins (RFC 8288, section 3.3). */
function takeRelations(scanner: Scanner): readonly string[] {
  let relations: string | undefined;
  while (scanner.take(parameterStart) !== null) {
    const match = scanner.take(parameter);
    if (match?.[1]?.toLowerCase() !== 'rel') continue;
    relations ??= match[2]?.replaceAll(/\\(.)/g, '$1') ?? match[3]?.trim().replaceAll(/^['"]|['"]$/g, '') ?? '';
  }
  return (relations ?? '').toLowerCase().split(/\s+/);
}

/**
 * Returns the target of the first link with this relation in a `Link` header (RFC 8288, section 3), or null. It accepts
 * several relations in one `rel`, quoted commas and targets without `<>`, because upstreams send all of them.
 */
export function linkTarget(header: string, relation: string): string | null {
  const scanner = new Scanner(header);
  for (;;) {
    scanner.take(separators);
    const target = scanner.take(bracketed)?.[1] ?? scanner.take(bare)?.[0].replace(/[ \t,]+$/, '');
    if (target === undefined) return null;
    if (takeRelations(scanner).includes(relation)) return target.trim();
  }
}
