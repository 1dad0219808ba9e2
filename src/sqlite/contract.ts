/** What a column holds. Integers come back as `bigint`, always; they go in as `number` (whole) or `bigint`. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** One SQL statement, run once for each row of parameters (positional `?`), in order. */
export interface Statement {
  readonly sql: string;
  readonly rows: readonly (readonly SqlValue[])[];
  /**
   * Guard: how many rows the statement must change in all. Anything else rolls the whole transaction back, which then
   * rejects with `sqlite_guard`: that is how a writer makes sure that the file is in the state it believes.
   */
  readonly changes?: number;
}

export interface ReadOptions {
  /** The read rejects with `query_deadline` once this much time has passed. Default: `limits.queryMsMax`. */
  readonly deadlineMs?: number;
}

/** One SQLite file: one worker that writes, one that only reads. Knows nothing of what the tables mean. */
export interface Database {
  readonly file: string;
  /**
   * Runs all statements in one transaction, in order, and answers how many rows each changed. Durable when it
   * resolves (`synchronous: 'full'`); when it rejects nothing has been written. Transactions run in the order of calls.
   */
  transact(statements: readonly Statement[]): Promise<readonly number[]>;
  /** Runs one query on the read-only worker and answers its rows as arrays of column values. */
  read(sql: string, parameters?: readonly SqlValue[], options?: ReadOptions): Promise<readonly (readonly SqlValue[])[]>;
  /** Finishes the transactions handed in, then closes both workers. A second call answers the first one's promise. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** Path of the file; created when absent. */
  readonly file: string;
  /** SQLite `application_id` that marks our files (a 32-bit integer): a file with another is refused (`data_invalid`). */
  readonly applicationId: number;
  /**
   * The schema, as scripts that are run in order: `PRAGMA user_version` says how many were. Append, never change.
   * A file with more is of a newer version and is refused (`data_version`).
   */
  readonly migrations: readonly string[];
  /** `full`: a commit survives power loss. `normal`: it survives a crash of the process only; for what can be refetched. */
  readonly synchronous: 'full' | 'normal';
}
