import type { MetricFamily } from '../metric/index.ts';

/** What one read of a source has found, where the data itself says how old it is. */
interface Reading {
  readonly families: readonly MetricFamily[];
  /** When the source made this data, in Unix seconds. Left out where the data does not say. */
  readonly dataTimestamp?: number;
}

/** The families of one read; as a `Reading` where the data has a time of its own. */
export type Collected = readonly MetricFamily[] | Reading;

/**
 * Reads one source. The set that owns it sees to schedule, deadline, isolation and the last good snapshot, so that a
 * driver holds nothing but how its source is read.
 */
export interface Collector {
  /**
   * Reads the source once; never called again before the last read has ended. Whatever goes wrong is thrown (or
   * rejected), best as a `SourceError` that says of what kind it is; a message must hold no secret. A value that could
   * not be read is no 0: the read fails, or the family is left out. Once `signal` is aborted nobody waits any more, and
   * the read should end soon: the next one is not begun before.
   */
  collect(signal: AbortSignal): Promise<Collected> | Collected;
  /** Lets go of what the collector holds: connections, observers. A second call does nothing. */
  close?(): Promise<void> | void;
}

/** A collector that reads this process itself: it answers at once, so that it may be read at every scrape. */
export interface InstantCollector extends Collector {
  collect(): Collected;
}

interface NamedSource {
  /** The label `source` of the families about it. */
  readonly name: string;
}

/** A source that is read on its own schedule, whether or not anybody scrapes. */
export interface ScheduledSource extends NamedSource {
  readonly collector: Collector;
  /** Time from the beginning of one read to the beginning of the next, in milliseconds: 1 to 2^31 - 1. */
  readonly intervalMs: number;
  /** How long a read may take. Default: `limits.sourceReadMsMax`. */
  readonly deadlineMs?: number;
  /** How old the last good snapshot may get, in milliseconds, before it is no longer served. Default: no limit. */
  readonly keepMs?: number;
}

/** A source that is read anew at each scrape. */
export interface ScrapedSource extends NamedSource {
  readonly collector: InstantCollector;
  readonly interval: 'scrape';
}

export type SourceOptions = ScheduledSource | ScrapedSource;
