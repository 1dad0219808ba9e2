import type { Collector } from '../contract.ts';
import type { SourceErrorClass } from '../source-error.ts';

/**
 * A real source that a test can break. Each function resolves once the source behaves as stated, until `restore`. The
 * source's figures must not change by themselves.
 */
export interface BreakableSource {
  /** Reads do not end: for example, another session holds a lock, or the server does not answer. */
  hang(): Promise<void> | void;
  /** Reads fail at once: for example, the server is stopped, or the file is missing. */
  refuse(): Promise<void> | void;
  /** Reads get only a part of what they need: for example, a table is missing, or the text ends in the middle. */
  truncate(): Promise<void> | void;
  /** Reads succeed, but take at least `slowReadMs`. */
  slow(): Promise<void> | void;
  /** Ends all of this: reads succeed. */
  restore(): Promise<void> | void;
  /** Restarts the source. Its connections break. */
  restart(): Promise<void> | void;
  /** Number of reads that the source still works on, including those whose reader has gone. */
  activeReads(): Promise<number> | number;
  /** The class of the error of a refused read. */
  readonly refused: SourceErrorClass;
  /** The class of the error of a truncated read. */
  readonly truncated: SourceErrorClass;
}

/** How long a slow read takes at least, in milliseconds. */
export const slowReadMs = 200;

/** The parameters of the suite. */
export interface CollectorFixture {
  /** Creates a collector with a readable source. */
  readonly open: () => Promise<Collector> | Collector;
  /** How to break the source, or why that is impossible. */
  readonly source: BreakableSource | { readonly unbreakable: string };
  /** The deadline of a read. A read must take much less, and a slow one less. Default: 2,000 ms. */
  readonly deadlineMs?: number;
  /** How long a test waits for what should happen soon. Default: 20,000 ms, for a busy machine. */
  readonly patienceMs?: number;
  /** Texts that no message may contain, such as the password of the source. */
  readonly secrets?: readonly string[];
  /** Lint findings that a driver must ignore, because its names are fixed: `name: message`. */
  readonly ignoredFindings?: readonly string[];
}
