import type { ErrorCode, Log } from '../base/index.ts';

/** What a thread can be asked, by name. Input and output cross threads, so they are plain data. */
export type Functions = Readonly<Record<string, (input: never) => unknown>>;

/** What a thread is given when it starts; travels as `workerData`. */
export interface Start {
  readonly data: unknown;
  /** The code of errors that have none of their own. */
  readonly failure: ErrorCode;
}

/** What the front asks. Each gets one `Reply` with the same id. */
export type Request =
  | { readonly id: number; readonly kind: 'ask'; readonly name: string; readonly input: unknown }
  | { readonly id: number; readonly kind: 'close' };

/** What a thread answers. */
export type Reply =
  | { readonly id: number; readonly kind: 'result'; readonly result: unknown }
  | { readonly id: number; readonly kind: 'error'; readonly code: ErrorCode; readonly message: string };

/** A line for the log of the process. */
export interface LogMessage {
  readonly kind: 'log';
  readonly level: keyof Log;
  readonly fields: object;
  readonly message: string;
}

/** The id of the reply that says that the thread is open, which nobody asks for. */
export const openedId = 0;
