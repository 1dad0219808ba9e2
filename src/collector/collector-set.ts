import { assert, limits, SingleFlight, TonnageError, type Clock, type Log } from '../base/index.ts';
import { FamilyNames, type MetricFamily, type MetricSet } from '../metric/index.ts';
import { closeCollector } from './close-collector.ts';
import type { ScheduledSource, ScrapedSource, SourceOptions } from './contract.ts';
import { declareSourceFamilies } from './metrics.ts';
import { Reader } from './reader.ts';
import { repeat, timerMsMax } from './schedule.ts';
import { takeSnapshot, withNames } from './snapshot.ts';
import { SourceError, sourceErrorOf } from './source-error.ts';
import { SourceState, type SourceStatus } from './source-state.ts';

export interface CollectorSetOptions {
  /** The process's own families, including those about sources. No source may use one of their names. */
  readonly metrics: MetricSet;
  readonly clock: Clock;
  readonly log: Log;
}

interface Scraped extends ScrapedSource {
  readonly state: SourceState;
  readonly reader?: undefined;
}

interface Scheduled extends ScheduledSource {
  readonly state: SourceState;
  readonly reader: Reader;
}

type Source = Scraped | Scheduled;

/** The families that a source adds to an exposition, and all names in use including theirs. */
interface Served {
  readonly families: readonly MetricFamily[];
  readonly names: FamilyNames;
}

/**
 * The sources of one process. Each is read on its own schedule and served from its last good snapshot, so that a scrape
 * never waits. A failing source affects only its own families; `tonnage_source_*` reports it.
 *
 * If two sources expose the same name, the later one is rejected. Sources that are read at the scrape come first,
 * because they are part of this process.
 */
export class CollectorSet {
  readonly #metrics: MetricSet;
  readonly #clock: Clock;
  readonly #log: Log;
  #scraped: readonly Scraped[] = [];
  #scheduled: readonly Scheduled[] = [];
  readonly #reads = new SingleFlight<void, Scheduled>();
  #ends: readonly (() => void)[] | undefined;
  #closed: Promise<void> | undefined;

  constructor({ metrics, clock, log }: CollectorSetOptions) {
    this.#metrics = metrics;
    this.#clock = clock;
    this.#log = log;
    declareSourceFamilies(metrics, () => this.status());
  }

  /** Adds a source before the start. Throws `config_invalid` for a duplicate name. */
  add(options: SourceOptions): void {
    const { name } = options;
    assert(this.#ends === undefined, `the source ${name} was added after the start`);
    if (this.#sources().some((source) => source.name === name)) {
      throw new TonnageError('config_invalid', `expected unique names of sources, got "${name}" twice`);
    }
    const base = { name, clock: this.#clock, log: this.#log };
    if ('interval' in options) {
      this.#scraped = [...this.#scraped, { ...options, state: new SourceState(base) }];
      return;
    }
    const { collector, intervalMs, deadlineMs = limits.sourceReadMsMax, keepMs = Infinity } = options;
    for (const ms of [intervalMs, deadlineMs]) {
      assert(ms >= 1 && ms <= timerMsMax, `expected 1 to ${timerMsMax} ms for the source ${name}, got ${ms}`);
    }
    const state = new SourceState({ ...base, keepMs });
    this.#scheduled = [...this.#scheduled, { ...options, state, reader: new Reader(collector, deadlineMs) }];
  }

  /** Starts the schedules: reads each source now and then once per interval. */
  start(): void {
    assert(this.#ends === undefined, 'the collectors were started twice');
    this.#ends = this.#scheduled.map((source) => {
      // The source's state records a failure.
      const run = (): Promise<void> => this.#read(source).catch(() => undefined);
      return repeat(run, source.intervalMs, this.#clock);
    });
  }

  /**
   * Reads one source now, independently of its schedule, or joins the read in flight. Does nothing for a source that is
   * read at the scrape. Rejects with the `SourceError` of the read, or with `not_found` for an unknown source.
   */
  async read(name: string): Promise<void> {
    assert(this.#closed === undefined, 'a source was read after the close');
    const source = this.#source(name);
    if (source.reader !== undefined) await this.#read(source);
  }

  /** The current families of one source. Throws `not_found` for an unknown source. */
  families(name: string): readonly MetricFamily[] {
    return this.#serve(this.#source(name), new FamilyNames()).families;
  }

  /** All families of an exposition: those of the process and of each source. Never waits and never throws. */
  gather(): readonly MetricFamily[] {
    const families = [...this.#metrics.gather()];
    let names = namesOf(families);
    for (const source of this.#sources()) {
      const served = this.#serve(source, names);
      families.push(...served.families);
      names = served.names;
    }
    return families;
  }

  /** The status of each source. */
  status(): readonly SourceStatus[] {
    return this.#sources().map(({ state }) => state.status());
  }

  /** Stops the schedules, aborts reads in flight and closes the collectors. Never rejects. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    for (const end of this.#ends ?? []) end();
    for (const { reader } of this.#scheduled) reader.abort();
    await Promise.all(this.#sources().map(({ name, collector }) => closeCollector(name, collector, this.#log)));
  }

  /** One read at a time: a call during a read joins it. */
  #read(source: Scheduled): Promise<void> {
    return this.#reads.run(source, () => this.#readOnce(source));
  }

  /** Reads a source, checks that its names do not clash with any others, and records the result. */
  async #readOnce({ state, reader }: Scheduled): Promise<void> {
    // The abandoned read was already counted as a failure.
    if (reader.busy) throw new SourceError('timeout', 'the previous read missed its deadline and is still running');
    const begun = this.#clock.monotonic();
    try {
      const snapshot = takeSnapshot(await reader.read());
      const others = this.#sources().filter((other) => other.state !== state);
      const families = others.flatMap((other) => other.state.families());
      withNames(namesOf([...this.#metrics.gather(), ...families]), snapshot.families);
      state.succeed(snapshot, begun);
    } catch (thrown) {
      const error = sourceErrorOf(thrown);
      if (this.#closed === undefined) state.fail(error, begun);
      throw error;
    }
  }

  /** The families of a source for an exposition in which the names `taken` are in use. Reads a scraped source now. */
  #serve(source: Source, taken: FamilyNames): Served {
    if (source.reader === undefined) {
      const begun = this.#clock.monotonic();
      try {
        const snapshot = takeSnapshot(source.collector.collect());
        const names = withNames(taken, snapshot.families);
        source.state.succeed(snapshot, begun);
        return { families: snapshot.families, names };
      } catch (thrown) {
        source.state.fail(sourceErrorOf(thrown), begun);
      }
    }
    const families = source.state.families();
    try {
      return { families, names: withNames(taken, families) };
    } catch (thrown) {
      source.state.drop(sourceErrorOf(thrown));
      return { families: [], names: taken };
    }
  }

  #source(name: string): Source {
    const source = this.#sources().find((candidate) => candidate.name === name);
    if (source !== undefined) return source;
    const names = this.#sources().map((candidate) => candidate.name);
    throw new TonnageError('not_found', `expected the name of a source (${names.join(', ')}), got "${name}"`);
  }

  #sources(): readonly Source[] {
    return [...this.#scraped, ...this.#scheduled];
  }
}

/** The names of families that do not clash. */
function namesOf(families: readonly MetricFamily[]): FamilyNames {
  const names = new FamilyNames();
  for (const family of families) names.claim(family);
  return names;
}
