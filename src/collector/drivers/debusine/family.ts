import type { MetricFamily, Value } from '../../../metric/index.ts';
import type { KnownProducts } from './known-products.ts';

/** Columns by table. */
type Columns = Readonly<Record<string, readonly string[]>>;

/** A query of the database. Families that need the same rows share one query object, which then runs once. */
export interface Query {
  /** All columns that it reads; the role needs the right to read them. */
  readonly reads: Columns;
  /** One statement. `$1` is the time of the read, if the statement uses it. */
  readonly sql: string;
  /** What it reads instead if the database has a summary: the same rows, sooner. */
  readonly fromSummary?: { readonly reads: Columns; readonly sql: string };
  /** A slower statement, whose rows replace those of `sql` if these are ambiguous. */
  readonly exact?: { readonly isNeeded: (rows: readonly Row[]) => boolean; readonly sql: string };
}

/** A row: the text of each column, in the order of the statement; `null` for NULL. */
export type Row = readonly (string | null)[];

/** The rows of each query that ran. */
export type Rows = (query: Query) => readonly Row[];

/** What the configuration says about the families. */
export interface FamilySettings {
  readonly zeroFill: 'full' | 'bounded' | 'none';
  readonly labelRules: 'real' | 'document';
  readonly activityType: 'histogram' | 'gaugehistogram';
  readonly signonProviders: readonly string[];
}

/** A family of Debusine's database. */
export interface DebusineFamily {
  readonly name: string;
  /** Label names. One that ends in `*` means every name with this beginning. */
  readonly labels: (rules: FamilySettings['labelRules']) => readonly string[];
  readonly queries: readonly Query[];
  /**
   * Makes the family from the rows of its queries. `products` makes the label sets of zero filling. Yields between steps of
   * bounded length, so that a caller may pause.
   */
  build(rows: Rows, settings: FamilySettings, products: KnownProducts): Generator<void, MetricFamily>;
}

/** A family that is off by default and has a schedule of its own, because its query may be slow. */
export interface OptionalFamily extends DebusineFamily {
  readonly name:
    | 'artifact_file_size'
    | 'artifact_file_counts'
    | 'artifact_file_sizes'
    | 'collection_sizes'
    | 'tokens_last_seen'
    | 'task_execution_times';
}

/** The most rows between two steps of a `build`. */
export const rowsPerStep = 128;

/** The number that a column holds as text. Exact: a `bigint` beyond 2^53. */
export function numberOf(text: string | null | undefined): Value {
  const number = Number(text ?? 0);
  return Number.isSafeInteger(number) || !/^-?\d+$/.test(text ?? '') ? number : BigInt(text ?? 0);
}
