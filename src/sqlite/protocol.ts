import type { DatabaseOptions, SqlValue, Statement } from './contract.ts';

/** How a worker opens its file, and the program that it runs. */
export interface WorkerOptions extends Omit<DatabaseOptions, 'readProgram'> {
  readonly mode: 'write' | 'read';
}

export type Rows = readonly (readonly SqlValue[])[];

/** The functions that `worker.ts` serves. */
export type WorkerFunctions = {
  /** Runs all statements in one transaction and returns how many rows each changed. */
  readonly transact: (statements: readonly Statement[]) => readonly number[];
  readonly read: (query: { readonly sql: string; readonly parameters: readonly SqlValue[] }) => Rows;
  /** Runs a function of the worker's program. */
  readonly call: (call: { readonly name: string; readonly input: unknown }) => unknown;
};
