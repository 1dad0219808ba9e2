import type { ErrorCode } from '../base/index.ts';
import type { ProgramModule, SqlValue, Statement } from './contract.ts';

/** How a worker opens its file; travels as `workerData`. */
export interface WorkerOptions {
  readonly file: string;
  readonly mode: 'write' | 'read';
  readonly applicationId: number;
  readonly migrations: readonly string[];
  readonly synchronous: 'full' | 'normal';
  readonly program?: ProgramModule;
}

/** What the front asks of a worker. Each gets one `Reply` with the same id, in the order of the requests. */
export type Request =
  | { readonly id: number; readonly kind: 'transact'; readonly statements: readonly Statement[] }
  | { readonly id: number; readonly kind: 'read'; readonly sql: string; readonly parameters: readonly SqlValue[] }
  | { readonly id: number; readonly kind: 'call'; readonly name: string; readonly input: unknown }
  | { readonly id: number; readonly kind: 'close' };

/** What a worker answers. Id 0 is the opening of the file, which nobody asks for. */
export type Reply =
  | { readonly id: number; readonly changes: readonly number[] }
  | { readonly id: number; readonly rows: readonly (readonly SqlValue[])[] }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly done: true }
  | { readonly id: number; readonly error: { readonly code: ErrorCode; readonly message: string } };

/** The id of the reply that says that the file is open. */
export const openedId = 0;
