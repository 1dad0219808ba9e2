import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { scaled } from '../../test/support/long.ts';
import { ConfigError } from './problems.ts';
import { debusineOptions } from '../collector/drivers/debusine/options.ts';
import { createConfigReader } from './reader.ts';
import type { Config } from './schema.ts';
import { anyConfig } from './testing/any-config.ts';
import { exampleDrivers } from './testing/drivers.ts';
import { filledIn } from './testing/filled-in.ts';
import { readText } from './testing/read-text.ts';
import type { Path } from './tree.ts';

const reader = createConfigReader({ ...exampleDrivers, debusine: debusineOptions });

/** Reads a file, in which some texts are references. */
const read = (stated: unknown): Config => readText(stringify(stated), { environment: { x: 'X' }, reader });

/** The value without the key or item at `path`, and without the map that lacks a missing key. */
function without(value: unknown, [step, ...rest]: Path): unknown {
  if (Array.isArray(value) && typeof step === 'number') {
    const item = without(value[step], rest);
    return value.flatMap((each, index) => (index === step ? (item ?? []) : [each]));
  }
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
  const property = fc.property(anyConfig(reader.schema).map(validPartOf), (stated) => {
    const config = read(stated);
    const printed = reader.print(config);
    const again = read(filledIn(parse(printed), stated));
    expect(again).toEqual(config);
    expect(reader.print(again)).toBe(printed);
  });
  fc.assert(property, { numRuns: scaled(100, 2_000) });
});
