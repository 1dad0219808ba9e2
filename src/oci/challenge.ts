import { Scanner } from './scanner.ts';

/** One challenge of a `WWW-Authenticate` header. The scheme and the parameter names are in lower case. */
export interface Challenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const tokenSixtyEight = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;
const parameter = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+.^_`|~0-9A-Za-z-]+))/y;
const separators = /[ \t,]*/y;
const blanks = /[ \t]+/y;

function takeParameters(scanner: Scanner): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (;;) {
    scanner.take(separators);
    const match = scanner.take(parameter);
    const name = match?.[1]?.toLowerCase();
    if (name === undefined) return parameters;
    const value = match?.[2]?.replaceAll(/\\(.)/g, '$1') ?? match?.[3] ?? '';
    // The first of two equal names wins: an intermediary may have appended the second.
    if (!parameters.has(name)) parameters.set(name, value);
  }
}

/**
 * Parses a `WWW-Authenticate` value: any number of challenges, each with `name=value` parameters or one token68
 * (RFC 9110, section 11.6.1). Parsing stops at the first malformed challenge. The challenges before it are returned, so
 * that a malformed tail does not hide a usable challenge.
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const scanner = new Scanner(header);
  const challenges: Challenge[] = [];
  while (!scanner.done) {
    scanner.take(separators);
    const scheme = scanner.take(token)?.[0];
    if (scheme === undefined) break;
    const spaced = scanner.take(blanks) !== null;
    // No supported scheme uses token68, but it must not be parsed as the next scheme.
    const bare = spaced && scanner.take(tokenSixtyEight) !== null;
    const parameters = spaced && !bare ? takeParameters(scanner) : new Map<string, string>();
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
  }
  return challenges;
}
