import type { Cell } from '../../declared/cell.ts';

/** One query of a read. */
export interface EngineQuery {
  readonly name: string;
  readonly sql: string;
  /** How long it may take, in milliseconds. */
  readonly timeoutMs: number;
  /** With more rows, the read fails. */
  readonly rowsMax: number;
}

/** The result of one query. */
export interface Rows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

/** Reads one database. Reads do not overlap. */
export interface Engine {
  /**
   * Runs the queries in one read-only transaction, on one state of the data as far as the database can, and returns the
   * rows of each. Rejects with a `SourceError`, whose message contains nothing of the DSN. It reads at most
   * `rowsMax + 1` rows of a query, so the caller sees that there are too many. Ends soon after `signal` aborts.
   */
  read(queries: readonly EngineQuery[], signal: AbortSignal): Promise<readonly Rows[]>;
  /** Ends the connection. Later reads fail. Never rejects. */
  close(): Promise<void>;
}
