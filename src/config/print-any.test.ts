import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { scaled } from '../../test/support/long.ts';
import { printConfig } from './print.ts';
import { ConfigError } from './problems.ts';
import type { Config } from './schema.ts';
import { anyConfig } from './testing/any-config.ts';
import { filledIn } from './testing/filled-in.ts';
import { readText } from './testing/read-text.ts';
import type { Path } from './tree.ts';

/** Reads a file, in which some texts are references. */
const read = (stated: unknown): Config => readText(stringify(stated), { environment: { x: 'X' } });

/** The value without the key at `path`. Without the whole list if that is an item, and without the map that lacks a missing key. */
function without(value: unknown, [step, ...rest]: Path): unknown {
  if (typeof value !== 'object' || value === null || typeof step !== 'string' || !(step in value)) return undefined;
  const entries = new Map<string, unknown>(Object.entries(value));
  const inner = without(entries.get(step), rest);
  if (inner === undefined) entries.delete(step);
  else entries.set(step, inner);
  return Object.fromEntries(entries);
}

/** Removes the keys that do not go together, until the rest is valid. */
function validPartOf(stated: unknown): unknown {
  for (let remains = stated; ;) {
    try {
      read(remains);
      return remains;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const paths = error.problems.map(({ path }) => path);
      if (paths.some((path) => path.length === 0)) throw error;
      remains = paths.reduce(without, remains);
    }
  }
}

test('any valid configuration, once printed, is accepted and prints the same', () => {
  const property = fc.property(anyConfig.map(validPartOf), (stated) => {
    const config = read(stated);
    const printed = printConfig(config);
    const again = read(filledIn(parse(printed), stated));
    expect(again).toEqual(config);
    expect(printConfig(again)).toBe(printed);
  });
  fc.assert(property, { numRuns: scaled(100, 2_000) });
});
