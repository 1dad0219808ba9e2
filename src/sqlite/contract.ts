import type { Functions } from '../thread/index.ts';

/** The value of a column. Integers are read as `bigint`, always; they are written as `number` (whole) or `bigint`. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** One SQL statement, run once for each row of parameters (positional `?`), in order. */
export interface Statement {
  readonly sql: string;
  readonly rows: readonly (readonly SqlValue[])[];
  /**
   * Guard: the number of rows that the statement must change in total. If it changes another number, the transaction is rolled
   * back and rejects with `sqlite_guard`. This protects a writer from a file that is not in the state that it expects.
   */
  readonly changes?: number;
}

export interface ReadOptions {
  /** The read rejects with `query_deadline` after this time. Default: `limits.queryMsMax`. */
  readonly deadlineMs?: number;
}

/** The file as a program sees it, in the thread of the worker that opened it. */
export interface ProgramFile {
  /**
   * Compiles a statement; the caller keeps it. Rows are arrays of column values. `integers: 'number'` is several times
   * as fast as `'bigint'` (the default), but reading an integer beyond 2^53 throws a RangeError.
   */
  prepare(sql: string, options?: { readonly integers: 'bigint' | 'number' }): ProgramStatement;
  /**
   * Runs `work` in one transaction. In the writer, the transaction is committed and durable when this returns; if
   * `work` throws, nothing is written. In the reader, all statements see one state of the file.
   */
  transact<T>(work: () => T): T;
}

export interface ProgramStatement {
  /** Runs the statement and returns how many rows it changed. */
  run(...parameters: readonly SqlValue[]): number;
  /** The names of its columns. */
  columns(): readonly string[];
  /** Runs the statement and returns its rows. */
  all(...parameters: readonly SqlValue[]): readonly (readonly SqlValue[])[];
}

/**
 * A module that calls `serveDatabase`. Its functions run in the thread that has the file open: for work that both reads
 * and decides.
 */
export interface ProgramModule {
  readonly module: URL;
  /** Plain data for the program. */
  readonly options: unknown;
}

/** A thread without a program. */
export type NoFunctions = Readonly<Record<never, never>>;

/** The result of a thread's function `N`. */
export type ResultOf<F extends Functions, N extends keyof F> = Promise<Awaited<ReturnType<F[N]>>>;

/**
 * One SQLite file with a writer thread and a read-only thread. Does not know what the tables mean. `W` and `R`: the
 * functions of the writer's and the reader's program.
 */
export interface Database<W extends Functions = NoFunctions, R extends Functions = NoFunctions> {
  readonly file: string;
  /**
   * Runs all statements in order in one transaction on the writer, and resolves with how many rows each changed. The
   * data is durable when this resolves (`synchronous: 'full'`); if this rejects, nothing was written. Transactions run
   * in the order of the calls.
   */
  transact(statements: readonly Statement[]): Promise<readonly number[]>;
  /**
   * Calls a function of the writer's program (`DatabaseOptions.program`), in order with the transactions.
   * `transfer`: buffers in `input` that move to the writer instead of being copied.
   */
  callWriter<N extends keyof W & string>(
    name: N,
    input: Parameters<W[N]>[0],
    transfer?: readonly ArrayBuffer[],
  ): ResultOf<W, N>;
  /** Runs one query on the reader and resolves with its rows, as arrays of column values. */
  read(sql: string, parameters?: readonly SqlValue[], options?: ReadOptions): Promise<readonly (readonly SqlValue[])[]>;
  /** Calls a function of the reader's program (`DatabaseOptions.readProgram`), with the same deadline as `read`. */
  callReader<N extends keyof R & string>(name: N, input: Parameters<R[N]>[0], options?: ReadOptions): ResultOf<R, N>;
  /** Finishes the transactions in flight, then closes both threads. Further calls return the same promise. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** Path of the file; created if missing. The file and SQLite's side files have mode 0600. */
  readonly file: string;
  /** What the operator can do about a damaged file. The error message ends with it. */
  readonly remedy: string;
  /** SQLite `application_id` that marks our files (a 32-bit integer). Other files are rejected (`data_invalid`). */
  readonly applicationId: number;
  /**
   * The schema: scripts that run in order. `PRAGMA user_version` counts those that have run, so append scripts and
   * never change one. A file with a higher version comes from a newer release and is rejected (`data_version`).
   */
  readonly migrations: readonly string[];
  /** `full`: a commit survives power loss. `normal`: a commit survives a crash of the process only; for data that can be fetched again. */
  readonly synchronous: 'full' | 'normal';
  /** Runs in the writer's thread. */
  readonly program?: ProgramModule;
  /** Runs in the reader's thread. */
  readonly readProgram?: ProgramModule;
}
