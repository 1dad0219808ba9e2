import { messageOf, TonnageError } from '../base/index.ts';

/**
 * Why a read of a source failed, the values of the label `class`:
 * - `timeout`: it took longer than its deadline, or the one before it still hangs;
 * - `unreachable`: there is no connection, no such host, no such file;
 * - `denied`: the source refused our credentials, or the file its reading;
 * - `invalid`: what came is not what was expected, or its families cannot stand beside the others;
 * - `failed`: anything else.
 */
export const sourceErrorClasses = ['timeout', 'unreachable', 'denied', 'invalid', 'failed'] as const;
export type SourceErrorClass = (typeof sourceErrorClasses)[number];

/** A read of a source that failed. Its message names the cause, and holds no secret. */
export class SourceError extends TonnageError {
  readonly errorClass: SourceErrorClass;

  constructor(errorClass: SourceErrorClass, message: string, options?: { readonly cause?: unknown }) {
    super('source_failed', message, options);
    this.name = 'SourceError';
    this.errorClass = errorClass;
  }
}

/** Whatever a collector has thrown, as a `SourceError`; `failed` unless it says more. */
export function sourceErrorOf(thrown: unknown): SourceError {
  if (thrown instanceof SourceError) return thrown;
  const errorClass = thrown instanceof TonnageError && thrown.code === 'metric_invalid' ? 'invalid' : 'failed';
  return new SourceError(errorClass, messageOf(thrown), { cause: thrown });
}
