import { assert, limits, SingleFlight, TonnageError, type Clock, type Log } from '../base/index.ts';
import type { MetricFamily, MetricSet } from '../metric/index.ts';
import { closeCollector } from './close-collector.ts';
import type { ScheduledSource, ScrapedSource, SourceOptions } from './contract.ts';
import { MergedFamilies } from './merged-families.ts';
import { declareSourceFamilies } from './metrics.ts';
import { Reader } from './reader.ts';
import { repeat, timerMsMax, type Schedule } from './schedule.ts';
import { takePacedSnapshot, takeSnapshot } from './snapshot.ts';
import { SourceError, sourceErrorOf } from './source-error.ts';
import { addSnapshot, PageSources, type SourcePage } from './source-page.ts';
import { SourceState, type SourceStatus } from './source-state.ts';

export interface CollectorSetOptions {
  /** The process's own families, including those about sources. No source of `/metrics` may use one of their names. */
  readonly metrics: MetricSet;
  readonly clock: Clock;
  readonly log: Log;
}

interface Scraped extends ScrapedSource {
  readonly state: SourceState;
  readonly reader?: undefined;
  readonly page?: undefined;
}

interface Scheduled extends ScheduledSource {
  readonly state: SourceState;
  readonly reader: Reader;
  /** Absent before the start. */
  schedule?: Schedule;
}

type Source = Scraped | Scheduled;

/**
 * The sources of one process. Each is read on its own schedule and served from its last good snapshot, so that a scrape
 * never waits. A failing source affects only its own families; `tonnage_source_*` reports it.
 *
 * Two sources may give the same family if their static labels tell them apart: the family then has the series of both.
 * Otherwise the later one is rejected. Sources that are read at the scrape come first, because they are part of this
 * process. The families of a source with a `page` are on that page only, and clash only there.
 */
export class CollectorSet {
  readonly #metrics: MetricSet;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #scraped: Scraped[] = [];
  readonly #scheduled: Scheduled[] = [];
  readonly #pages = new Map<string, PageSources>();
  readonly #reads = new SingleFlight<void, Scheduled>();
  #started = false;
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
    assert(!this.#started, `the source ${name} was added after the start`);
    if (this.#sources().some((source) => source.name === name)) {
      throw new TonnageError('config_invalid', `expected unique names of sources, got "${name}" twice`);
    }
    if ('interval' in options) {
      const state = new SourceState({ name, driver: options.driver, clock: this.#clock, log: this.#log });
      this.#scraped.push({ ...options, state });
      return;
    }
    const { collector, intervalMs, deadlineMs = limits.sourceReadMsMax, turns, driver, page, keepMs } = options;
    for (const ms of [intervalMs, deadlineMs]) {
      assert(ms >= 1 && ms <= timerMsMax, `expected 1 to ${timerMsMax} ms for the source ${name}, got ${ms}`);
    }
    const state = new SourceState({ name, driver, page, keepMs, clock: this.#clock, log: this.#log });
    const source = { ...options, state, reader: new Reader({ collector, deadlineMs, turns, rank: intervalMs }) };
    this.#scheduled.push(source);
    if (page === undefined) return;
    const sources = this.#pages.get(page);
    if (sources === undefined) this.#pages.set(page, new PageSources(source));
    else sources.add(source);
  }

  /** Starts the schedules: reads each source now and then once per interval. */
  start(): void {
    assert(!this.#started, 'the collectors were started twice');
    this.#started = true;
    for (const source of this.#scheduled) {
      // The source's state records a failure.
      const run = (): Promise<void> => this.#read(source).catch(() => undefined);
      source.schedule = repeat(run, source.intervalMs, this.#clock);
    }
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
    const merged = new MergedFamilies();
    this.#expose(this.#source(name), merged);
    return merged.families();
  }

  /** All families of `/metrics`: those of the process and of each source without a page. Never waits and never throws. */
  gather(): readonly MetricFamily[] {
    const merged = new MergedFamilies();
    merged.add(this.#metrics.gather());
    for (const source of this.#sources()) if (source.page === undefined) this.#expose(source, merged);
    return merged.families();
  }

  /** What the sources of a page expose now; `undefined` if no source has this page. Never waits and never throws. */
  page(path: string): SourcePage | undefined {
    return this.#pages.get(path)?.current();
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
    for (const { schedule, reader } of this.#scheduled) {
      schedule?.end();
      reader.abort();
    }
    await Promise.all(this.#sources().map(({ name, collector }) => closeCollector(name, collector, this.#log)));
  }

  /** One read at a time: a call during a read joins it. */
  #read(source: Scheduled): Promise<void> {
    return this.#reads.run(source, () => this.#readOnce(source));
  }

  /** Reads a source, checks that its names do not clash with any others, and records the result. */
  async #readOnce(source: Scheduled): Promise<void> {
    const { state, reader, labels } = source;
    // The abandoned read was already counted as a failure.
    if (reader.busy) throw new SourceError('timeout', 'the previous read missed its deadline and is still running');
    const begun = this.#clock.monotonic();
    try {
      const snapshot = await takePacedSnapshot(await reader.read(), labels, this.#clock);
      this.#others(source).add(snapshot.families, snapshot);
      state.succeed(snapshot, begun);
    } catch (thrown) {
      const error = sourceErrorOf(thrown);
      if (this.#closed === undefined) state.fail(error, begun);
      throw error;
    }
  }

  /** The families of the page of a source without its own. */
  #others(source: Scheduled): MergedFamilies {
    const merged = new MergedFamilies();
    if (source.page === undefined) merged.add(this.#metrics.gather());
    for (const { page, state } of this.#sources()) {
      if (page === source.page && state !== source.state) addSnapshot(merged, state);
    }
    return merged;
  }

  /** Adds the families of a source to those of an exposition. Reads a scraped source now. */
  #expose({ reader, state, collector }: Source, merged: MergedFamilies): void {
    if (reader === undefined) {
      const begun = this.#clock.monotonic();
      try {
        const snapshot = takeSnapshot(collector.collect());
        merged.add(snapshot.families, snapshot);
        return state.succeed(snapshot, begun);
      } catch (thrown) {
        state.fail(sourceErrorOf(thrown), begun);
      }
    }
    addSnapshot(merged, state);
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
