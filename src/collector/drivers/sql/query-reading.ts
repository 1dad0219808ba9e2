import { limits, type Clock } from '../../../base/index.ts';
import type { MetricFamily } from '../../../metric/index.ts';
import { numberOf, type Cell } from '../../declared/cell.ts';
import { DeclaredFamilyBuilder, type CellReader } from '../../declared/family-builder.ts';
import { declaredMetric } from '../../declared/metric.ts';
import { SourceError } from '../../source-error.ts';
import type { Rows } from './engine.ts';
import type { SqlQuery } from './options.ts';

/** What the rows of one query gave. */
export interface QueryReading {
  readonly families: readonly MetricFamily[];
  /** The newest time of the data, in Unix seconds. */
  readonly timestamp: number | undefined;
  /** Metrics that left out rows because these had no value, with their number. */
  readonly omitted: ReadonlyMap<string, number>;
}

/** Rows that are read between two looks at the clock. */
const rowsPerStep = 64;

/** Turns the rows of one query into families, in steps, so that the event loop is not blocked. Rejects with a `SourceError`. */
export async function readRows(query: SqlQuery, result: Rows, clock: Clock): Promise<QueryReading> {
  const { rowsMax, timestamp, name } = query;
  if (result.rows.length > rowsMax) {
    throw new SourceError('invalid', `expected at most ${rowsMax} rows of query ${JSON.stringify(name)}, got more`);
  }
  const row = new RowReader(query, result.columns);
  const builders = query.metrics.map((metric) => new DeclaredFamilyBuilder(declaredMetric(metric)));
  let newest: number | undefined;
  let begun = clock.monotonic();
  for (const [index, cells] of result.rows.entries()) {
    row.cells = cells;
    for (const builder of builders) builder.add(row);
    const time = timestamp === undefined ? null : numberOf(row.cell(timestamp), row.describe(timestamp));
    if (time !== null) newest = Math.max(newest ?? 0, Number(time));
    if (index % rowsPerStep > 0 || clock.monotonic() - begun < limits.expositionStretchMsMax) continue;
    await new Promise((resume) => setImmediate(resume));
    begun = clock.monotonic();
  }
  return {
    families: builders.map((builder) => builder.family()),
    timestamp: newest,
    omitted: new Map(builders.filter(({ omitted }) => omitted > 0).map((each) => [each.name, each.omitted])),
  };
}

/** Reads cells of one row after another by the names of their columns. */
class RowReader implements CellReader<string> {
  cells: readonly Cell[] = [];
  readonly #query: string;
  readonly #columns = new Map<string, number>();

  /** Throws a `SourceError` (`invalid`) if a column that the query's metrics name is missing or not unique. */
  constructor(query: SqlQuery, columns: readonly string[]) {
    this.#query = JSON.stringify(query.name);
    for (const column of columnsOf(query)) {
      const at = columns.indexOf(column);
      const expected = `expected one column ${JSON.stringify(column)} in query ${this.#query}`;
      if (at < 0) throw new SourceError('invalid', `${expected}, got ${listOf(columns)}`);
      if (columns.lastIndexOf(column) > at) throw new SourceError('invalid', `${expected}, got several`);
      this.#columns.set(column, at);
    }
  }

  cell(column: string): Cell {
    return this.cells[this.#columns.get(column) ?? -1] ?? null;
  }

  describe(column: string): string {
    return `column ${JSON.stringify(column)} of query ${this.#query}`;
  }
}

/** Columns that an error lists. */
const listedColumns = 20;

function listOf(columns: readonly string[]): string {
  const listed = columns.slice(0, listedColumns).map((column) => JSON.stringify(column));
  const more = columns.length - listed.length;
  return [...listed, ...(more > 0 ? [`${more} more`] : [])].join(', ') || 'none';
}

function columnsOf({ timestamp, metrics }: SqlQuery): ReadonlySet<string> {
  const columns = metrics.flatMap(({ value, labels, buckets = {}, count, sum }) => {
    return [value, ...Object.values(labels), ...Object.values(buckets), count, sum];
  });
  return new Set([timestamp, ...columns].filter((column) => column !== undefined));
}
