import type { Clock, Random } from '../base/index.ts';
import type { Environment } from '../config/index.ts';

/** Standard input: a pipe, a file, or a terminal whose keys can be read without being shown. */
export type Input = NodeJS.ReadableStream & {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
};

/** The environment of a command: the process, or that of a test. */
export interface Terminal {
  readonly environment: Environment;
  readonly workingDirectory: string;
  readonly input: Input;
  /** Writes results to standard output. Other programs may read them. */
  readonly out: (text: string) => void;
  /** Writes to standard error. For notes, use `note`. */
  readonly say: (text: string) => void;
  /** Whether standard error is a terminal, on which a progress bar can be redrawn. */
  readonly interactive?: boolean;
  /** Calls `onSignal` for each SIGINT, SIGTERM and SIGHUP; the process goes on. Returns a function that stops this. */
  readonly onSignals: (onSignal: (signal: NodeJS.Signals) => void) => () => void;
  /** Ends the process at once with this exit code, even while threads are busy. */
  readonly end: (code: ExitCode) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly version: string;
}

/**
 * A terminal signals the whole process group, and parents (npm, a wrapper) also forward the signal. A signal this soon
 * after the first is a duplicate, not a second request to stop. In milliseconds.
 */
export const signalEchoMs = 250;

/** Writes a note to standard error. Each line begins with `tonnage:`, as in errors. */
export function note({ say }: Pick<Terminal, 'say'>, text: string): void {
  for (const line of text.trimEnd().split('\n')) say(`tonnage: ${line}\n`);
}

/** Exit codes of every command. */
export const exitCodes = {
  /** The command succeeded. */
  done: 0,
  /** The command ran and failed, or found something. */
  failed: 1,
  /** Wrong usage. */
  usage: 2,
  /** Nothing has the given name. */
  nothing: 3,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Wrong usage that is detected after the options are parsed. Exit code 2. */
export class UsageError extends Error {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'UsageError';
  }
}

/** Nothing has the given name, so nothing was done. Exit code 3. */
export class NothingError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NothingError';
  }
}
