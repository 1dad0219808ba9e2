import type { Clock, Log, Turns } from '../base/index.ts';
import type { MetricFamily } from '../metric/index.ts';

/** The result of one read of a source whose data has a timestamp. */
interface Reading {
  readonly families: readonly MetricFamily[];
  /** When the source created this data, in Unix seconds. Absent if unknown. */
  readonly dataTimestamp?: number;
}

/** The families of one read, or a `Reading` if the data has a timestamp. */
export type Collected = readonly MetricFamily[] | Reading;

/** Reads one source. `CollectorSet` handles the schedule, the deadline, isolation and the last good snapshot. */
export interface Collector {
  /**
   * Reads the source once. Calls never overlap. Throws or rejects on failure, preferably with a `SourceError` that
   * states its class. Its message must not contain secrets, and `kind` or the message must be the same for the same
   * cause, because a failure is logged once per change. If a value cannot be read, the read fails or omits the family;
   * 0 would be wrong. After `signal` is aborted, the result is ignored and the read should end soon, because the next
   * read waits for it. Points are read once, in steps, after the read has ended: they must not need its connection.
   */
  collect(signal: AbortSignal): Promise<Collected> | Collected;
  /** Releases connections and observers. A second call does nothing. */
  close?(): Promise<void> | void;
}

/** A synchronous collector for this process, which may be read at every scrape. */
export interface InstantCollector extends Collector {
  collect(): Collected;
}

interface NamedSource {
  /** The label `source` in the families about sources. */
  readonly name: string;
  /** The driver's name, for the list of sources. */
  readonly driver?: string;
}

/** A source that is read on its own schedule, independently of scrapes. */
export interface ScheduledSource extends NamedSource {
  readonly collector: Collector;
  /** Milliseconds from the start of one read to the start of the next: 1 to 2^31 - 1. */
  readonly intervalMs: number;
  /** The deadline of a read in milliseconds. Default: `limits.sourceReadMsMax`. */
  readonly deadlineMs?: number;
  /** The maximum age of a served snapshot in milliseconds. Default: no limit. */
  readonly keepMs?: number;
  /** Labels of every series. Labels that differ tell apart two sources with the same families. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The page that serves the families. Absent: `/metrics`. */
  readonly page?: string;
  /** This source only adds families to those of another source. Without data of the latter, their page has none. */
  readonly isExtra?: true;
  /**
   * Sources that share it are read one after another. The source with the shortest interval has the next turn. The
   * deadline of a read begins with its turn. An aborted read keeps its turn until it has ended, for at most
   * `limits.sourceAbortMsMax`.
   */
  readonly turns?: Turns;
}

/** A source that is read at each scrape. */
export interface ScrapedSource extends NamedSource {
  readonly collector: InstantCollector;
  readonly interval: 'scrape';
}

export type SourceOptions = ScheduledSource | ScrapedSource;

/** The keys that every source in the configuration has. Durations are in milliseconds. */
export interface SourceSettings {
  readonly name: string;
  readonly driver: string;
  readonly interval: number;
  readonly deadline: number;
  /** Absent: for ever. */
  readonly keepFor?: number;
  readonly labels: Readonly<Record<string, string>>;
}

export interface SourceParts {
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * A driver's module exports one such function, `createSources`. `Keys` are the driver's own keys, as its `options.ts`
 * declares them. It opens no connection: the first read does. A driver that reads some figures at another interval
 * returns a source for each.
 */
export type CreateSources<Keys> = (settings: SourceSettings & Keys, parts: SourceParts) => readonly ScheduledSource[];
