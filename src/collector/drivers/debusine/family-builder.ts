import { limits, type Clock } from '../../../base/index.ts';
import type { GaugePoint, MetricFamily } from '../../../metric/index.ts';
import { rowsPerStep, type DebusineFamily, type FamilySettings, type Query, type Row } from './family.ts';
import type { KnownProducts } from './known-products.ts';

interface BuilderOptions {
  readonly families: readonly DebusineFamily[];
  readonly settings: FamilySettings;
  readonly products: KnownProducts;
  readonly clock: Clock;
}

/**
 * Builds the families of one read, each as soon as the rows of all its queries are there: the server works on the next
 * query meanwhile, on another core.
 */
export class FamilyBuilder {
  readonly #options: BuilderOptions;
  readonly #rows = new Map<Query, readonly Row[]>();
  readonly #built = new Map<DebusineFamily, Promise<MetricFamily>>();
  /** Ends when all families so far are built. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: BuilderOptions) {
    this.#options = options;
  }

  /** Takes the rows of a query. Families that are now complete are built after the caller's turn of the event loop. */
  add(query: Query, rows: readonly Row[]): void {
    this.#rows.set(query, rows);
    for (const family of this.#options.families) {
      if (this.#built.has(family) || !family.queries.every((each) => this.#rows.has(each))) continue;
      const built = this.#last.then(() => this.#build(family));
      this.#built.set(family, built);
      this.#last = built;
      // `families` reports the error, unless the read fails first.
      built.catch(() => undefined);
    }
  }

  /** All families, in their order. All queries must have their rows. */
  families(): Promise<readonly MetricFamily[]> {
    return Promise.all(this.#options.families.map((family) => this.#built.get(family) ?? this.#build(family)));
  }

  #build(family: DebusineFamily): Promise<MetricFamily> {
    const { settings, products, clock } = this.#options;
    return paced(inMemory(family.build((query) => this.#rows.get(query) ?? [], settings, products)), clock);
  }
}

/** The family that `steps` build, with the points of a gauge in memory. Too many of them are left to the snapshot to reject. */
function* inMemory(steps: Generator<void, MetricFamily>): Generator<void, MetricFamily> {
  const family = yield* steps;
  if (family.type !== 'gauge') return family;
  const points: GaugePoint[] = [];
  for (const point of family.points) {
    if (points.length === limits.sourceSeriesMax) return family;
    points.push(point);
    if (points.length % rowsPerStep === 0) yield;
  }
  return { ...family, points };
}

/** The result of `steps`, with a break for the event loop whenever they have blocked it too long. */
async function paced<T>(steps: Generator<void, T>, clock: Clock): Promise<T> {
  let begun = clock.monotonic();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (clock.monotonic() - begun < limits.expositionStretchMsMax) continue;
    await new Promise((resume) => setImmediate(resume));
    begun = clock.monotonic();
  }
}
