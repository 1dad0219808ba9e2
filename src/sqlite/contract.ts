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

/** What a program has of the file, in the thread of the worker that opened it. */
export interface ProgramFile {
  /**
   * The compiled statement, to be kept by whoever asks. Rows come as arrays of column values; integers as `bigint`, or as
   * `number` where `integers` says so, which is several times as fast, and throws a RangeError for one beyond 2^53.
   */
  prepare(sql: string, options?: { readonly integers: 'bigint' | 'number' }): ProgramStatement;
  /**
   * Runs `work` in one transaction: committed, and durable, when it returns; nothing is written when it throws. In the
   * reader's thread: with one state of the file all through.
   */
  transact<T>(work: () => T): T;
}

export interface ProgramStatement {
  /** Runs it and answers how many rows it changed. */
  run(...parameters: readonly SqlValue[]): number;
  /** Runs it and answers its rows. */
  all(...parameters: readonly SqlValue[]): readonly (readonly SqlValue[])[];
}

/** What a program offers: functions by name. Input and output cross threads, so they are plain data. */
export type Program = Readonly<Record<string, (input: never) => unknown>>;

/** The module of a program exports this as `createProgram`; `options` is what `ProgramModule` gave. */
export type ProgramFactory = (file: ProgramFile, options: never) => Program;

/** A module (URL) whose functions run beside the file, for what needs to read and decide there. */
export interface ProgramModule {
  readonly module: string;
  readonly options: unknown;
}

/** One SQLite file: one worker that writes, one that only reads. Knows nothing of what the tables mean. */
export interface Database {
  readonly file: string;
  /**
   * Runs all statements in one transaction, in order, and answers how many rows each changed. Durable when it
   * resolves (`synchronous: 'full'`); when it rejects nothing has been written. Transactions run in the order of calls.
   */
  transact(statements: readonly Statement[]): Promise<readonly number[]>;
  /**
   * Runs a function of the writer's program (`DatabaseOptions.program`), in turn with the transactions.
   * `transfer`: buffers in `input` that are handed over instead of copied.
   */
  call(name: string, input: unknown, transfer?: readonly ArrayBuffer[]): Promise<unknown>;
  /** Runs one query on the read-only worker and answers its rows as arrays of column values. */
  read(sql: string, parameters?: readonly SqlValue[], options?: ReadOptions): Promise<readonly (readonly SqlValue[])[]>;
  /** Runs a function of the reader's program (`DatabaseOptions.readProgram`), under a deadline as `read`. */
  ask(name: string, input: unknown, options?: ReadOptions): Promise<unknown>;
  /** Finishes the transactions handed in, then closes both workers. A second call answers the first one's promise. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** Path of the file; created when absent. The file and SQLite's side files have mode 0600. */
  readonly file: string;
  /** What the operator can do when the file is damaged; ends the message of that error. */
  readonly remedy: string;
  /** SQLite `application_id` that marks our files (a 32-bit integer): a file with another is refused (`data_invalid`). */
  readonly applicationId: number;
  /**
   * The schema, as scripts that are run in order: `PRAGMA user_version` says how many were. Append, never change.
   * A file with more is of a newer version and is refused (`data_version`).
   */
  readonly migrations: readonly string[];
  /** `full`: a commit survives power loss. `normal`: it survives a crash of the process only; for what can be refetched. */
  readonly synchronous: 'full' | 'normal';
  /** Runs beside the writer. */
  readonly program?: ProgramModule;
  /** Runs beside the reader. */
  readonly readProgram?: ProgramModule;
}
