import type { Clock } from '../../base/index.ts';
import { CollectorSet, type SourcePage } from '../../collector/index.ts';
import { labelSet, MetricSet, type GaugeFamily, type MetricFamily } from '../../metric/index.ts';
import type { Page, PageAccess } from '../pages/page.ts';

/** A clock that moves only when a test moves it. It starts at 2026-11-21T12:00:00Z. */
export class HandClock implements Clock {
  #ms = Date.parse('2026-11-21T12:00:00Z');

  now(): number {
    return this.#ms;
  }

  monotonic(): number {
    return this.#ms;
  }

  move(ms: number): void {
    this.#ms += ms;
  }
}

/** A gauge with these series: labels and value. */
export function gaugeOf(
  name: string,
  series: readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[],
): GaugeFamily {
  const points = series.map(([labels, value]) => ({ labels: labelSet(labels), value }));
  return { type: 'gauge', name, help: `Number of ${name}`, points };
}

/** A source of a page, read whenever a test says so. */
export interface PageSource {
  /** What the next reads give. An error: they fail with it. */
  families: readonly MetricFamily[] | Error;
  /** Reads the source once. Resolves also if that fails. */
  read(): Promise<void>;
}

/** The pages of one set of collectors, each with one source that is read every 30 s of `clock`. */
export class TestPages {
  readonly pages: Page[] = [];
  readonly #set: CollectorSet;

  constructor(clock: Clock) {
    const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
    this.#set = new CollectorSet({ metrics: new MetricSet(), clock, log });
  }

  /** Adds a page: `name` is the segment below `/api/1.0/open-metrics/`, or empty. Its source has no data yet. */
  add(name: string, access: PageAccess = 'public'): PageSource {
    const path = name === '' ? '/api/1.0/open-metrics/' : `/api/1.0/open-metrics/${name}/`;
    const source: PageSource = {
      families: [],
      read: () => this.#set.read(`source-${name}`).catch(() => undefined),
    };
    const collector = {
      collect: () => {
        if (source.families instanceof Error) throw source.families;
        return source.families;
      },
    };
    this.#set.add({ name: `source-${name}`, collector, intervalMs: 30_000, page: path });
    this.pages.push({ path, access, read: () => this.#page(path) });
    return source;
  }

  /** Reads all sources for the first time, and begins their schedules. */
  async start(): Promise<void> {
    this.#set.start();
    await Promise.allSettled(this.#set.status().map(({ name }) => this.#set.read(name)));
  }

  close(): Promise<void> {
    return this.#set.close();
  }

  #page(path: string): SourcePage {
    const page = this.#set.page(path);
    if (page === undefined) throw new Error(`there is no page ${path}`);
    return page;
  }
}
