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

export interface MetricSetOptions {
  /** With a clock series remember when they began (`created`), and exemplars when they were seen. */
  readonly clock?: Clock;
  /** Prefix of the set's families about itself: `<prefix>_folded`, `<prefix>_source_failures`. */
  readonly prefix?: string;
  /** Told what a callback (`collect`, `read`) has thrown; its families are left out of that scrape. */
  readonly onError?: (error: unknown) => void;
}

/** Where families come from at a scrape. The names of those that are claimed were checked at registration. */
interface Source {
  readonly claimed: boolean;
  readonly collect: () => Iterable<MetricFamily>;
}

type AnyLabels = NoLabelOptions | LabelOptions<string>;

/**
 * The instruments of one process (or of one part of it), and the families that they make up. Nothing is global: whoever
 * counts is given a set. Names that would clash in an exposition are refused when they are registered.
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
      help: 'Metric sources that failed at a scrape and were left out of it.',
    });
    this.#folded = this.#foldCounter(`${prefix}_folded`);
  }

  /** A total that only rises. */
  counter(options: CounterOptions & NoLabelOptions): Counter;
  counter<const Name extends string>(options: CounterOptions & LabelOptions<Name>): Labelled<Counter, Name>;
  /** With `read` the total is asked for at each scrape; a `bigint` is exposed exactly, however large. */
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
  /** With `read` the value is asked for at each scrape. */
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

  /** How observations are distributed over buckets. */
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

  /** How many observations and what they add up to. */
  summary(options: MetricOptions & NoLabelOptions): Summary;
  summary<const Name extends string>(options: MetricOptions & LabelOptions<Name>): Labelled<Summary, Name>;
  summary(options: MetricOptions & AnyLabels): Summary | Labelled<Summary, string> {
    return this.#instrument(
      (points) => ({ ...metadata(options), type: 'summary', points }),
      options,
      (instrument, labels) => new Summary(instrument, labels),
    );
  }

  /** Facts as labels: a version, a revision. */
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
    if (new Set(states).size !== states.length) misuse(`stateset ${options.name}`, 'a state is there twice');
    return this.#instrument(
      (points) => ({ ...metadata(options), type: 'stateset', points }),
      options,
      (instrument, labels) => new StateSet(instrument, labels, states),
    );
  }

  /**
   * Takes a whole family in, for series that something else keeps: its `points` are iterated at each scrape (see
   * `lazily`) and trusted to be right; `checkFamily` tells whether they are.
   */
  add(family: MetricFamily): void {
    claim(this.#names, family, []);
    this.#live(family);
  }

  /** Calls `collect` at each scrape and adds the families that it finds, which may differ from scrape to scrape. */
  collect(collect: () => Iterable<MetricFamily>): void {
    this.#sources.push({ claimed: false, collect });
  }

  /**
   * All families, in the order of registration. A callback that throws, or that finds a family whose names are wrong or
   * clash, loses its own families only: `onError` is told and `<prefix>_source_failures_total` counts it.
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

  /** Registers an instrument: `family` makes its family of live points, `create` one series. */
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
      this.#live(family([child]));
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
    this.#live(family(labelled));
    return labelled;
  }

  /** Counts, per family, what its overflow series stood in for. Made by hand, since it cannot count its own folding. */
  #foldCounter(name: string): Labelled<Counter, 'family'> {
    const instrument = new Instrument('counter', name, this.#clock);
    const points = new Labelled<Counter, 'family'>({
      instrument,
      labels: ['family'],
      seriesMax: limits.metricSeriesMax,
      create: (labels) => new Counter(instrument, labels),
      onFold: () => undefined,
    });
    const help = 'Label sets that the overflow series of a full family stood in for, counted at each lookup.';
    this.add({ type: 'counter', name, help, points });
    return points;
  }

  /** Registers a label-less family whose one value is read at each scrape. */
  #read(family: GaugeFamily | CounterFamily, read: () => Value): undefined {
    claim(this.#names, family, []);
    const collect = (): MetricFamily[] => [{ ...family, points: [{ labels: noLabels, value: read() }] }];
    this.#sources.push({ claimed: true, collect });
  }

  #live(family: MetricFamily): void {
    this.#sources.push({ claimed: true, collect: () => [family] });
  }
}

function metadata(
  options: Pick<MetricOptions, 'name' | 'help' | 'unit'>,
): Pick<MetricFamily, 'name' | 'help' | 'unit'> {
  return { name: options.name, help: options.help, unit: options.unit };
}

/** Takes the names of a family that a programmer declares. */
function claim(names: FamilyNames, family: MetricFamily, labels: readonly string[]): void {
  const problem = claimNames(names, family, labels);
  if (problem !== undefined) misuse(`${family.type} ${family.name}`, problem);
}

/** Takes the names of a family that a callback has found. */
function claimFound(names: FamilyNames, family: MetricFamily): void {
  const problem = claimNames(names, family, []);
  if (problem !== undefined) throw new TonnageError('metric_invalid', `${family.type} ${family.name}: ${problem}`);
}
