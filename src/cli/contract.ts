import type { Clock, Random } from '../base/index.ts';
import type { Environment } from '../config/index.ts';

/** Standard input: a pipe or file, or somebody at a terminal, whose keys can be read without being shown. */
export type Input = NodeJS.ReadableStream & {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
};

/** What a command touches of the world. `main.ts` hands in the process; a test hands in what it likes. */
export interface Terminal {
  readonly environment: Environment;
  readonly workingDirectory: string;
  readonly input: Input;
  /** Writes to standard output: results, which other programs may read. */
  readonly out: (text: string) => void;
  /** Writes to standard error: what is said to people. */
  readonly say: (text: string) => void;
  /** What is said shows on a terminal, where a line can be drawn anew. */
  readonly interactive?: boolean;
  /** Calls `onSignal` for each SIGINT, SIGTERM and SIGHUP instead of ending the process; the answer stops that. */
  readonly onSignals: (onSignal: (signal: NodeJS.Signals) => void) => () => void;
  /** Ends the process at once with this exit code, whatever its threads are doing. */
  readonly end: (code: ExitCode) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly version: string;
}

/** Exit codes of every command. */
export const exitCodes = {
  /** It did what was asked. */
  done: 0,
  /** It ran, and failed or found something. */
  failed: 1,
  /** It was asked in a way that it does not understand. */
  usage: 2,
  /** It ran, and what it was to work on is not there: there was nothing to do. */
  nothing: 3,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Wrong usage of the command line that shows only after the options have been parsed. Exit code 2. */
export class UsageError extends Error {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'UsageError';
  }
}

/** What was to be worked on is not there; nothing was done. Exit code 3. */
export class NothingError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NothingError';
  }
}
