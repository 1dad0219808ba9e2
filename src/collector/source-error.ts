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

/** A failed read of a source. Its message states the cause and contains no secret. */
export class SourceError extends TonnageError {
  readonly errorClass: SourceErrorClass;

  constructor(errorClass: SourceErrorClass, message: string, options?: { readonly cause?: unknown }) {
    super('source_failed', message, options);
    this.name = 'SourceError';
    this.errorClass = errorClass;
  }
}

/** Converts any error of a collector to a `SourceError`. The class is `failed` unless known. */
export function sourceErrorOf(thrown: unknown): SourceError {
  if (thrown instanceof SourceError) return thrown;
  const errorClass = thrown instanceof TonnageError && thrown.code === 'metric_invalid' ? 'invalid' : 'failed';
  return new SourceError(errorClass, messageOf(thrown), { cause: thrown });
}
