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
  /** The process's own families. Those about sources join them here, and no source may take one of their names. */
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

/** The families that a source adds to an exposition, and all names that are taken with them. */
interface Served {
  readonly families: readonly MetricFamily[];
  readonly names: FamilyNames;
}

/**
 * The sources of one process. Each is read on its own schedule and served from its last good snapshot, so that a scrape
 * waits for none. Whatever goes wrong with one costs its own families only, and is told by `tonnage_source_*`.
 *
 * Where two would expose the same name, the one that does so later is refused. Sources that are read at the scrape come
 * first, since they are part of this process.
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

  /** Adds a source, before the start. Throws `config_invalid` for a name that another one has. */
  add(options: SourceOptions): void {
    const { name } = options;
    assert(this.#ends === undefined, `the source ${name} was added after the start`);
    if (this.#sources().some((source) => source.name === name)) {
      throw new TonnageError('config_invalid', `expected each source under a name of its own, got "${name}" twice`);
    }
    const base = { name, clock: this.#clock, log: this.#log };
    if ('interval' in options) {
      this.#scraped = [...this.#scraped, { ...options, state: new SourceState(base) }];
      return;
    }
    const { collector, intervalMs, deadlineMs = limits.sourceReadMsMax, keepMs = Infinity } = options;
    for (const ms of [intervalMs, deadlineMs]) {
      assert(ms >= 1 && ms <= timerMsMax, `the source ${name} wants 1 to ${timerMsMax} ms, got ${ms}`);
    }
    const state = new SourceState({ ...base, keepMs });
    this.#scheduled = [...this.#scheduled, { ...options, state, reader: new Reader(collector, deadlineMs) }];
  }

  /** Begins the schedules: each source is read now, and then once per interval. */
  start(): void {
    assert(this.#ends === undefined, 'the collectors were started twice');
    this.#ends = this.#scheduled.map((source) => {
      // A failure is kept in the source's state, which tells of it.
      const beat = (): Promise<void> => this.#read(source).catch(() => undefined);
      return repeat(beat, source.intervalMs, this.#clock);
    });
  }

  /**
   * Reads one source now, beside its schedule, or joins the read that is under way. Rejects with the `SourceError` that
   * the read ended with, with `not_found` when there is no such source. A source that is read at the scrape needs no
   * other read.
   */
  async read(name: string): Promise<void> {
    assert(this.#closed === undefined, 'a source was read after the close');
    const source = this.#source(name);
    if (source.reader !== undefined) await this.#read(source);
  }

  /** What one source serves now. Throws `not_found` when there is no such source. */
  families(name: string): readonly MetricFamily[] {
    return this.#serve(this.#source(name), new FamilyNames()).families;
  }

  /** All families of an exposition: the process's own, and those of each source. Never waits, and never throws. */
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

  /** How each source is doing. */
  status(): readonly SourceStatus[] {
    return this.#sources().map(({ state }) => state.status());
  }

  /** Ends the schedules, gives up the reads under way, and closes the collectors. Never rejects. */
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

  /** Reads a source and takes its snapshot, if that can stand beside everything else; notes how it went. */
  async #readOnce({ state, reader }: Scheduled): Promise<void> {
    // One that was given up and hangs has been counted, and is left alone.
    if (reader.busy) throw new SourceError('timeout', 'the read before this one was given up and has not ended yet');
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

  /** The families of a source, read now if that is its way, in an exposition where some names are taken. */
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

/** The names of families that stand together already. */
function namesOf(families: readonly MetricFamily[]): FamilyNames {
  const names = new FamilyNames();
  for (const family of families) names.claim(family);
  return names;
}
