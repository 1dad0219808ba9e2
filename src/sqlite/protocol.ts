import type { DatabaseOptions, SqlValue, Statement } from './contract.ts';

/** How a thread opens its file. */
export interface FileOptions extends Omit<DatabaseOptions, 'program' | 'readProgram'> {
  readonly mode: 'write' | 'read';
}

/** What a thread is given: also the options of its program. */
export interface WorkerOptions<O> extends FileOptions {
  readonly program: O;
}

export type Rows = readonly (readonly SqlValue[])[];

/** The functions that every thread of a file serves. */
export type WorkerFunctions = {
  /** Runs all statements in one transaction and returns how many rows each changed. */
  readonly transact: (statements: readonly Statement[]) => readonly number[];
  readonly read: (query: { readonly sql: string; readonly parameters: readonly SqlValue[] }) => Rows;
};
