import type { z } from 'zod';
import type { PartFindings } from './findings.ts';

/** A family that a source gives, for the check that no two sources give the same series. */
export interface SourceFamily {
  readonly name: string;
  /** Names of its labels. One that ends in `*` means every name with this beginning. */
  readonly labels: readonly string[];
}

/** A source of the configuration: the keys that every source has. Those of its driver are there too, for the driver. */
export interface SourceConfig {
  readonly name: string;
  readonly driver: string;
  /** In milliseconds, as all durations. */
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
  families(source: SourceConfig & Keys): readonly SourceFamily[];
  /** The page that serves its families. Absent: `/metrics`. */
  readonly page?: SourcePage<Keys>;
  /** Fills in the defaults that depend on other keys, and reports keys that do not go together. */
  complete?(source: SourceConfig & Keys, findings: PartFindings): SourceConfig & Keys;
}

/** The pages of the sources of a driver that are not on `/metrics`. */
interface SourcePage<Keys extends object> extends PageKeys<string> {
  /** The path of the page of this source. */
  of(source: SourceConfig & Keys): string;
  /** `public`: any client may read it. `required`: only clients with the right `query` may. */
  access(source: SourceConfig & Keys): 'public' | 'required';
}

interface PageKeys<Key extends string> {
  /** The key that gives a source a page of its own. */
  readonly key: Key;
  /** Keys that belong to the page: all of its sources must have the same value. */
  readonly shared: readonly Key[];
}

/** Drivers by the name that a source gives. */
export type SourceDrivers = Readonly<Record<string, SourceDriver>>;

/** Declares the keys of a driver, and what the configuration must know of it. */
export function sourceDriver<K extends KeyTypes>(
  driver: SourceDriver<KeysOf<K>> & { readonly keys: K; readonly page?: PageKeys<keyof K & string> },
): SourceDriver<KeysOf<K>> {
  return driver;
}
