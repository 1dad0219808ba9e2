import { limits, TonnageError, type Clock } from '../base/index.ts';
import { checkBounds, durationBounds } from './buckets.ts';
import { Counter } from './counter.ts';
import { FamilyNames } from './family-names.ts';
import type { CounterFamily, GaugeFamily, MetricFamily, Value } from './family.ts';
import { Gauge } from './gauge.ts';
import { Histogram } from './histogram.ts';
import { Info } from './info.ts';
import { Instrument } from './instrument.ts';
import { Labelled } from './labelled.ts';
import { noLabels, type LabelSet } from './labels.ts';
import { misuse } from './misuse.ts';
import { claimNames } from './name-problems.ts';
import { checkNative } from './native-buckets.ts';
import {
  seriesMaxOf,
  type CounterOptions,
  type HistogramOptions,
  type LabelOptions,
  type MetricOptions,
  type NoLabelOptions,
  type ReadOptions,
  type StateSetOptions,
} from './options.ts';
import { StateSet } from './state-set.ts';
import { Summary } from './summary.ts';

interface MetricSetOptions {
  /** With a clock, series record their start (`created`) and exemplars their time. */
  readonly clock?: Clock;
  /** Prefix of the set's own families: `<prefix>_folded`, `<prefix>_source_failures`. */
  readonly prefix?: string;
  /** Receives errors of the callbacks `collect` and `read`. The scrape omits their families. */
  readonly onError?: (error: unknown) => void;
}

/** Provides families at a scrape. If `claimed`, their names were checked at registration. */
interface Source {
  readonly claimed: boolean;
  readonly collect: () => Iterable<MetricFamily>;
}

type AnyLabels = NoLabelOptions | LabelOptions<string>;

/**
 * The instruments of a process or of a part of it, and their families. There is no global set: code that counts
 * receives one. Registering a family whose names clash with another throws (`BUG:`).
 */
export class MetricSet {
  readonly #names = new FamilyNames();
  readonly #sources: Source[] = [];
  readonly #clock: Clock | undefined;
  readonly #onError: ((error: unknown) => void) | undefined;
  readonly #failures: Counter;
  readonly #folded: Labelled<Counter, 'family'>;

  constructor(options: MetricSetOptions = {}) {
    const { prefix = 'tonnage_metric' } = options;
    this.#clock = options.clock;
    this.#onError = options.onError;
    this.#failures = this.counter({
      name: `${prefix}_source_failures`,
      help: 'Metric sources that failed at a scrape, which omitted their families.',
    });
    this.#folded = this.#foldCounter(`${prefix}_folded`);
  }

  /** A total that only rises. */
  counter(options: CounterOptions & NoLabelOptions): Counter;
  counter<const Name extends string>(options: CounterOptions & LabelOptions<Name>): Labelled<Counter, Name>;
  /** Calls `read` for the total at each scrape. A `bigint` is exposed exactly. */
  counter(options: CounterOptions & ReadOptions): void;
  counter(options: CounterOptions & (AnyLabels | ReadOptions)): Counter | Labelled<Counter, string> | undefined {
    if (options.read !== undefined) {
      return this.#read({ ...metadata(options), type: 'counter', bare: options.bare, points: [] }, options.read);
    }
    return this.#instrument<Counter>(
      (points) => ({ ...metadata(options), type: 'counter', bare: options.bare, points }),
      options,
      (instrument, labels) => new Counter(instrument, labels),
    );
  }

  /** A value that goes up and down. */
  gauge(options: MetricOptions & NoLabelOptions): Gauge;
  gauge<const Name extends string>(options: MetricOptions & LabelOptions<Name>): Labelled<Gauge, Name>;
  /** Calls `read` for the value at each scrape. */
  gauge(options: MetricOptions & ReadOptions): void;
  gauge(options: MetricOptions & (AnyLabels | ReadOptions)): Gauge | Labelled<Gauge, string> | undefined {
    if (options.read !== undefined)
      return this.#read({ ...metadata(options), type: 'gauge', points: [] }, options.read);
    return this.#instrument<Gauge>(
      (points) => ({ ...metadata(options), type: 'gauge', points }),
      options,
      (instrument, labels) => new Gauge(instrument, labels),
    );
  }

  /** The distribution of observations over buckets. */
  histogram(options: HistogramOptions & NoLabelOptions): Histogram;
  histogram<const Name extends string>(options: HistogramOptions & LabelOptions<Name>): Labelled<Histogram, Name>;
  histogram(options: HistogramOptions & AnyLabels): Histogram | Labelled<Histogram, string> {
    const subject = `histogram ${options.name}`;
    const layout = { bounds: Object.freeze([...(options.buckets ?? durationBounds)]), native: options.native };
    checkBounds(subject, layout.bounds);
    if (layout.native !== undefined) checkNative(subject, layout.native);
    return this.#instrument(
      (points) => ({ ...metadata(options), type: 'histogram', points }),
      options,
      (instrument, labels) => new Histogram(instrument, labels, layout),
    );
  }

  /** The number of observations and their sum. */
  summary(options: MetricOptions & NoLabelOptions): Summary;
  summary<const Name extends string>(options: MetricOptions & LabelOptions<Name>): Labelled<Summary, Name>;
  summary(options: MetricOptions & AnyLabels): Summary | Labelled<Summary, string> {
    return this.#instrument(
      (points) => ({ ...metadata(options), type: 'summary', points }),
      options,
      (instrument, labels) => new Summary(instrument, labels),
    );
  }

  /** Facts as labels, such as a version. */
  info(options: Omit<MetricOptions, 'unit'> & NoLabelOptions): Info;
  info<const Name extends string>(options: Omit<MetricOptions, 'unit'> & LabelOptions<Name>): Labelled<Info, Name>;
  info(options: Omit<MetricOptions, 'unit'> & AnyLabels): Info | Labelled<Info, string> {
    return this.#instrument(
      (points) => ({ ...metadata(options), type: 'info', points }),
      options,
      (instrument, labels) => new Info(instrument, labels),
    );
  }

  /** Named booleans, or the states of an enum. */
  stateSet<const State extends string>(options: StateSetOptions<State> & NoLabelOptions): StateSet<State>;
  stateSet<const State extends string, const Name extends string>(
    options: StateSetOptions<State> & LabelOptions<Name>,
  ): Labelled<StateSet<State>, Name>;
  stateSet(options: StateSetOptions<string> & AnyLabels): StateSet | Labelled<StateSet, string> {
    const states = Object.freeze([...options.states]);
    if (new Set(states).size !== states.length) misuse(`stateset ${options.name}`, 'a state occurs twice');
    return this.#instrument(
      (points) => ({ ...metadata(options), type: 'stateset', points }),
      options,
      (instrument, labels) => new StateSet(instrument, labels, states),
    );
  }

  /**
   * Adds a whole family whose series are kept elsewhere. Each scrape iterates over its `points` (see `lazily`) without
   * checking them; `checkFamily` checks a family.
   */
  add(family: MetricFamily): void {
    claim(this.#names, family, []);
    this.#register(family);
  }

  /** Calls `collect` at each scrape and adds the families that it returns, which may differ each time. */
  collect(collect: () => Iterable<MetricFamily>): void {
    this.#sources.push({ claimed: false, collect });
  }

  /**
   * All families, in the order of registration. If a callback throws, or returns a family whose names are invalid or
   * clash, its families are omitted, `onError` receives the error and `<prefix>_source_failures_total` counts it.
   */
  gather(): readonly MetricFamily[] {
    const families: MetricFamily[] = [];
    const names = new FamilyNames(this.#names);
    for (const source of this.#sources) {
      try {
        const found = [...source.collect()];
        if (!source.claimed) for (const family of found) claimFound(names, family);
        families.push(...found);
      } catch (error) {
        this.#failures.inc();
        this.#onError?.(error);
      }
    }
    return families;
  }

  /** Registers an instrument. `family` wraps its points in a family; `create` makes one series. */
  #instrument<Child>(
    family: (points: Iterable<Child>) => MetricFamily,
    options: AnyLabels,
    create: (instrument: Instrument, labels: LabelSet) => Child,
  ): Child | Labelled<Child, string> {
    const declared = family([]);
    claim(this.#names, declared, options.labels ?? []);
    const instrument = new Instrument(declared.type, declared.name, this.#clock);
    if (options.labels === undefined) {
      const child = create(instrument, noLabels);
      this.#register(family([child]));
      return child;
    }
    const folded = this.#folded.labels({ family: declared.name });
    const labelled = new Labelled<Child, string>({
      instrument,
      labels: options.labels,
      seriesMax: seriesMaxOf(instrument.subject, options.seriesMax),
      create: (labels) => create(instrument, labels),
      onFold: () => folded.inc(),
    });
    this.#register(family(labelled));
    return labelled;
  }

  /** Counts lookups of each family's overflow series. Not a plain `counter`, which would count its own overflow. */
  #foldCounter(name: string): Labelled<Counter, 'family'> {
    const instrument = new Instrument('counter', name, this.#clock);
    const points = new Labelled<Counter, 'family'>({
      instrument,
      labels: ['family'],
      seriesMax: limits.metricSeriesMax,
      create: (labels) => new Counter(instrument, labels),
      onFold: () => undefined,
    });
    const help = 'Lookups of label sets that the overflow series of a full family replaced.';
    this.add({ type: 'counter', name, help, points });
    return points;
  }

  /** Registers a family without labels whose value is read at each scrape. */
  #read(family: GaugeFamily | CounterFamily, read: () => Value): undefined {
    claim(this.#names, family, []);
    const collect = (): MetricFamily[] => [{ ...family, points: [{ labels: noLabels, value: read() }] }];
    this.#sources.push({ claimed: true, collect });
  }

  #register(family: MetricFamily): void {
    this.#sources.push({ claimed: true, collect: () => [family] });
  }
}

function metadata(
  options: Pick<MetricOptions, 'name' | 'help' | 'unit'>,
): Pick<MetricFamily, 'name' | 'help' | 'unit'> {
  return { name: options.name, help: options.help, unit: options.unit };
}

/** Claims the names of a family declared in code. */
function claim(names: FamilyNames, family: MetricFamily, labels: readonly string[]): void {
  const problem = claimNames(names, family, labels);
  if (problem !== undefined) misuse(`${family.type} ${family.name}`, problem);
}

/** Claims the names of a family that a callback returned. */
function claimFound(names: FamilyNames, family: MetricFamily): void {
  const problem = claimNames(names, family, []);
  if (problem !== undefined) throw new TonnageError('metric_invalid', `${family.type} ${family.name}: ${problem}`);
}
