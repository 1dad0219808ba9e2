import type { z } from 'zod';
import type { Findings } from './findings.ts';

/** A family that a source gives, for the check that no two sources give the same series. */
export interface SourceFamily {
  readonly name: string;
  /** Names of its labels. One that ends in `*` means every name with this beginning. */
  readonly labels: readonly string[];
}

/** The keys that every source has. Durations are in milliseconds. */
export interface SourceCommon {
  readonly name: string;
  readonly driver: string;
  readonly interval: number;
  readonly deadline: number;
  /** Absent: for ever. */
  readonly keepFor?: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** Types of the keys that only one driver has, by name. */
type KeyTypes = Readonly<Record<string, z.ZodType>>;

/** The values of these keys, as the process reads them. */
export type KeysOf<K extends KeyTypes> = z.output<z.ZodReadonly<z.ZodObject<K, z.core.$strict>>>;

/** What the configuration must know of a driver of sources. `Keys` are the values of the driver's own keys. */
export interface SourceDriver<Keys extends object = object> {
  /** The driver's own keys. A source has them next to the common ones, so no name may be in both. */
  readonly keys: KeyTypes;
  /** The default of `interval`, as the file states durations. */
  readonly interval: string;
  /** The families that this source gives. */
  families(source: SourceCommon & Keys): readonly SourceFamily[];
  /** The path that serves its families. Absent: `/metrics`. */
  page?(source: SourceCommon & Keys): string;
  /** Keys about the page. All sources of one page must have the same value. */
  readonly pageKeys?: readonly (keyof Keys & string)[];
  /** Fills in the defaults that depend on other keys, and reports keys that do not go together. */
  complete?(source: SourceCommon & Keys, findings: Findings): SourceCommon & Keys;
}

/** Declares the keys of a driver, and what the configuration must know of it. */
export function sourceDriver<K extends KeyTypes>(
  driver: SourceDriver<KeysOf<K>> & { readonly keys: K },
): SourceDriver<KeysOf<K>> {
  return driver;
}
