import type { ProgramModule, SqlValue, Statement } from './contract.ts';

/** How a worker opens its file. */
export interface WorkerOptions {
  readonly file: string;
  readonly remedy: string;
  readonly mode: 'write' | 'read';
  readonly applicationId: number;
  readonly migrations: readonly string[];
  readonly synchronous: 'full' | 'normal';
  readonly program?: ProgramModule;
}

export type Rows = readonly (readonly SqlValue[])[];

/** What a worker is asked. The type of the functions that `worker.ts` serves. */
export type WorkerFunctions = {
  /** Runs all in one transaction, and answers how many rows each changed. */
  readonly transact: (statements: readonly Statement[]) => readonly number[];
  readonly read: (query: { readonly sql: string; readonly parameters: readonly SqlValue[] }) => Rows;
  /** Runs a function of the program. */
  readonly call: (call: { readonly name: string; readonly input: unknown }) => unknown;
};
