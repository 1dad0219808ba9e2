import { messageOf, TonnageError } from '../base/index.ts';

/**
 * Why a read of a source failed; the values of the label `class`:
 * - `timeout`: it missed its deadline, or the previous read is still running;
 * - `unreachable`: no connection, host or file;
 * - `denied`: the source rejected the credentials, or the file is not readable;
 * - `invalid`: the data is invalid, or its families clash with others;
 * - `failed`: anything else.
 */
export const sourceErrorClasses = ['timeout', 'unreachable', 'denied', 'invalid', 'failed'] as const;
export type SourceErrorClass = (typeof sourceErrorClasses)[number];

interface SourceErrorOptions {
  readonly cause?: unknown;
  /** See `SourceError.kind`. Default: the message. */
  readonly kind?: string;
}

/** A failed read of a source. Its message states the cause and contains no secret. */
export class SourceError extends TonnageError {
  readonly errorClass: SourceErrorClass;
  /**
   * Identifies the failure. Consecutive failures of one class and kind are logged once. A message with a part that
   * differs at each read, such as a port, a time or a process id, needs a kind without it.
   */
  readonly kind: string;

  constructor(errorClass: SourceErrorClass, message: string, { cause, kind = message }: SourceErrorOptions = {}) {
    super('source_failed', message, cause === undefined ? {} : { cause });
    this.name = 'SourceError';
    this.errorClass = errorClass;
    this.kind = kind;
  }
}

/** Converts any error of a collector to a `SourceError`. The class is `failed` unless known. */
export function sourceErrorOf(thrown: unknown): SourceError {
  if (thrown instanceof SourceError) return thrown;
  const errorClass = thrown instanceof TonnageError && thrown.code === 'metric_invalid' ? 'invalid' : 'failed';
  return new SourceError(errorClass, messageOf(thrown), { cause: thrown });
}
