import type { Clock, Log } from '../../base/index.ts';
import { encode, openMetrics, parse } from '../../exposition/index.ts';
import { labelSet, MetricSet, noLabels, type GaugeFamily, type MetricFamily } from '../../metric/index.ts';
import { CollectorSet } from '../collector-set.ts';
import type { Collector, ScheduledSource } from '../contract.ts';

/** A family of one gauge. */
export function gauge(name: string, value = 1): GaugeFamily {
  return { type: 'gauge', name, help: 'Of a test.', points: [{ labels: noLabels, value }] };
}

/** A clock that stands still until it is moved. */
export class StoppedClock implements Clock {
  #ms = 1_795_000_000_000;

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

/** Throws when it is called: a collector that fails. */
export const fails = (error: Error) => () => {
  throw error;
};

/** A source that is read once a minute, so that a test sees only its first read. */
export const source = (name: string, collect: Collector['collect'], intervalMs = 60_000): ScheduledSource => ({
  name,
  collector: { collect },
  intervalMs,
  deadlineMs: 50,
});

/** A set of collectors with a log that is kept, over a set of instruments of its own. */
export function newSet(clock: Clock) {
  const lines: string[] = [];
  const write = (level: string) => (fields: object, message: string) =>
    void lines.push(`${level}: ${message} ${JSON.stringify(fields)}`);
  const log: Log = { debug: () => undefined, info: write('info'), warn: write('warn'), error: write('error') };
  const metrics = new MetricSet();
  return { set: new CollectorSet({ metrics, clock, log }), metrics, lines };
}

/** What a scraper reads, as samples by name and labels: strictly parsed, so that it is known to be valid. */
export function scrape(families: readonly MetricFamily[]): ReadonlyMap<string, number> {
  const text = Buffer.concat([...encode(families, openMetrics)]).toString();
  parse(text, { format: 'openmetrics' });
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

/** The sample of a family about sources. */
export function about(source: string, name: string, labels: Readonly<Record<string, string>> = {}): string {
  return `tonnage_source_${name}{${labelSet({ source, ...labels }).text}}`;
}
