import { TonnageError } from '../../base/index.ts';

/** An exposition is invalid: where and why. */
export class ParseError extends TonnageError {
  /** Counted from 1. */
  readonly line: number;
  /** In UTF-16 units, counted from 1. */
  readonly column: number;
  /** What was expected and what came, without line and column. */
  readonly reason: string;

  constructor(line: number, column: number, reason: string) {
    super('exposition_invalid', `line ${line}, column ${column}: ${reason}`);
    this.name = 'ParseError';
    this.line = line;
    this.column = column;
    this.reason = reason;
  }
}
