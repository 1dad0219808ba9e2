import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { root } from '../../../../../scripts/test/tools.ts';

/**
 * Data sets of a real Debusine with the pages that it made of them. They are not part of the checkout: without them the tests that
 * read them are skipped, and their titles say so.
 */
const directory = join(process.env['TONNAGE_TEST_SHARED'] ?? join(root, '..', 'shared'), 'debusine');

export const hasGolden = existsSync(directory);
/** For titles of tests. */
export const goldenNote = hasGolden ? '' : ` (skipped: there is no ${directory})`;
/** The clock of all these data sets. */
export const goldenNow = new Date('2026-01-15T12:00:00Z');

/** The text of one of the files. */
export function golden(name: string): string {
  const bytes = readFileSync(join(directory, name));
  return name.endsWith('.gz') ? gunzipSync(bytes).toString() : bytes.toString();
}

/** A change of the data set `small`, and how the real page changes. `series` is absent if there was no page. */
export interface EdgeCase {
  readonly name: string;
  readonly sql: string;
  readonly outcome: string;
  readonly series?: number;
  readonly duplicate_series: readonly string[];
  /** Samples that are new or have another value: at most 40 of each. */
  readonly added_nonzero: readonly string[];
  readonly removed_nonzero: readonly string[];
}

/** None without the golden files. */
export function edgeCases(): readonly EdgeCase[] {
  if (!hasGolden) return [];
  const { cases } = JSON.parse(golden('edge.json')) as {
    readonly cases: Readonly<Record<string, Omit<EdgeCase, 'name'>>>;
  };
  const none = { duplicate_series: [], added_nonzero: [], removed_nonzero: [] };
  return Object.entries(cases).map(([name, edge]) => ({ ...none, ...edge, name }));
}
