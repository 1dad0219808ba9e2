import type { ErrorCode, Log } from '../base/index.ts';

/** The functions that a thread offers, by name. Their input and output cross threads, so they are plain data. */
export type Functions = Readonly<Record<string, (input: never) => unknown>>;

/** The `workerData` of a new thread. */
export interface Start {
  readonly data: unknown;
  /** The code for errors that are not `TonnageError`s. */
  readonly failure: ErrorCode;
}

/** A message to the thread. The thread sends one `Reply` with the same id. */
export type Request =
  | { readonly id: number; readonly kind: 'call'; readonly name: string; readonly input: unknown }
  | { readonly id: number; readonly kind: 'close' };

/** The thread's reply to one request. */
export type Reply =
  | { readonly id: number; readonly kind: 'result'; readonly result: unknown }
  | { readonly id: number; readonly kind: 'error'; readonly code: ErrorCode; readonly message: string };

/** A line that the thread writes to the log of the process. */
export interface LogMessage {
  readonly kind: 'log';
  readonly level: keyof Log;
  readonly fields: object;
  readonly message: string;
}

/** The id of the reply that reports that the thread is open. No request has this id. */
export const openedId = 0;
