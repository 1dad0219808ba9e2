import type { MetricFamily } from '../metric/index.ts';
import { MergedFamilies } from './merged-families.ts';
import type { Schedule } from './schedule.ts';
import { sourceErrorOf } from './source-error.ts';
import type { SourceFailure, SourceState } from './source-state.ts';

/** What the sources of one page expose now, and what a response needs to know about it. */
export interface SourcePage {
  /** The families of the last good snapshots, in the order of the sources. Empty without a snapshot. */
  readonly families: readonly MetricFamily[];
  /** Another number whenever the families have changed, for a cache of bodies. */
  readonly revision: number;
  /** When the served snapshots were taken, in Unix milliseconds. Absent while no source has one. */
  readonly taken?: { readonly oldest: number; readonly newest: number };
  /** The greatest age in milliseconds of a served snapshot that is older than its source's interval. Absent if none is. */
  readonly staleMs?: number;
  /** Milliseconds until the next read of a source of the page is due. 0: it is due, in progress, or there is no schedule. */
  readonly nextReadMs: number;
  /** The shortest interval of the sources, in milliseconds. */
  readonly intervalMs: number;
  /** Why the page has no data; absent if a source that is not an extra has a snapshot. `failure` is absent until the first read of `source` has ended. */
  readonly missing?: { readonly source: string; readonly failure?: SourceFailure };
}

/** A source as its page sees it. */
export interface PageSource {
  readonly intervalMs: number;
  readonly isExtra?: true;
  readonly state: SourceState;
  /** Absent before the start. */
  readonly schedule?: Schedule | undefined;
}

/** The sources of one page. Merges their families once per change. */
export class PageSources {
  readonly #sources: [PageSource, ...PageSource[]];
  #revision = 0;
  /** The revision of each source's snapshot in `#families`. */
  #merged = '';
  #families: readonly MetricFamily[] = [];

  constructor(first: PageSource) {
    this.#sources = [first];
  }

  add(source: PageSource): void {
    this.#sources.push(source);
  }

  current(): SourcePage {
    this.#merge();
    const served = this.#sources.filter(({ state }) => state.revision > 0);
    const taken = served.map(({ state }) => state.takenMs);
    const stale = served.flatMap(({ state, intervalMs }) => (state.ageMs > intervalMs ? [state.ageMs] : []));
    return {
      families: this.#families,
      revision: this.#revision,
      ...(taken.length > 0 && { taken: { oldest: Math.min(...taken), newest: Math.max(...taken) } }),
      ...(stale.length > 0 && { staleMs: Math.max(...stale) }),
      nextReadMs: Math.min(...this.#sources.map(({ schedule }) => schedule?.untilNextMs() ?? 0)),
      intervalMs: Math.min(...this.#sources.map(({ intervalMs }) => intervalMs)),
      ...(served.every(({ isExtra }) => isExtra) && { missing: this.#missing() }),
    };
  }

  #merge(): void {
    const revisions = this.#sources.map(({ state }) => state.revision).join();
    if (revisions === this.#merged) return;
    const merged = new MergedFamilies();
    for (const { state } of this.#sources) addSnapshot(merged, state);
    this.#families = merged.families();
    this.#merged = revisions;
    this.#revision++;
  }

  /** The first source that failed, or the first one. An extra is never the reason. */
  #missing(): NonNullable<SourcePage['missing']> {
    const failed = this.#sources.find(({ isExtra, state }) => isExtra !== true && state.failure !== undefined);
    const { state } = failed ?? this.#sources[0];
    const { name, failure } = state;
    return { source: name, ...(failure && { failure }) };
  }
}

/** Adds what a source exposes. Drops its snapshot if it clashes with earlier families. */
export function addSnapshot(merged: MergedFamilies, state: SourceState): void {
  const { snapshot } = state;
  if (snapshot === undefined) return;
  try {
    merged.add(snapshot.families, snapshot);
  } catch (thrown) {
    state.drop(sourceErrorOf(thrown));
  }
}
