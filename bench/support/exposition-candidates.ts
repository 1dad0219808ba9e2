import { Counter as OfficialCounter, Registry as OfficialRegistry } from '@prometheus-io/client';
import { Counter as PromCounter, Registry as PromRegistry } from 'prom-client';
import { systemClock } from '../../src/base/index.ts';
import { encode, paced, prometheusText } from '../../src/exposition/index.ts';
import { MetricSet } from '../../src/metric/index.ts';

/** A metric set that is filled and can be scraped. */
export interface Filled {
  /** Renders everything as fast as it goes, and answers how many bytes (or characters) there were. */
  render(): Promise<number>;
  /** Renders as a server would that has other requests to serve too. */
  serve(): Promise<number>;
}

export interface ExpositionCandidate {
  readonly name: string;
  fill(series: number): Filled;
}

const name = 'bench_pulls_total';
const help = 'Pulls of the benchmark.';
const labelNames = ['org', 'arch', 'result'] as const;

function labelsOf(index: number): Record<(typeof labelNames)[number], string> {
  return { org: `org-${index}.example.org`, arch: index % 2 === 0 ? 'amd64' : 'arm64', result: 'ok' };
}

/** The same counter, labels and values in Prometheus text for everyone. */
export const candidates: readonly ExpositionCandidate[] = [
  {
    name: 'tonnage',
    fill(series) {
      const set = new MetricSet();
      const pulls = set.counter({ name: 'bench_pulls', help, labels: labelNames, seriesMax: series });
      for (let index = 0; index < series; index++) pulls.labels(labelsOf(index)).inc(index * 7);
      const chunks = (): Iterable<Uint8Array> => encode(set.gather(), prometheusText, { reuse: true });
      return {
        render() {
          let bytes = 0;
          for (const chunk of chunks()) bytes += chunk.length;
          return Promise.resolve(bytes);
        },
        async serve() {
          let bytes = 0;
          for await (const chunk of paced(chunks(), systemClock)) bytes += chunk.length;
          return bytes;
        },
      };
    },
  },
  {
    name: 'prom-client',
    fill(series) {
      const registers = [new PromRegistry()];
      const pulls = new PromCounter({ name, help, labelNames, registers });
      for (let index = 0; index < series; index++) pulls.inc(labelsOf(index), index * 7);
      return rendersWhole(registers[0]);
    },
  },
  {
    name: '@prometheus-io/client',
    fill(series) {
      const registers = [new OfficialRegistry()];
      const pulls = new OfficialCounter({ name, help, labelNames, registers });
      for (let index = 0; index < series; index++) pulls.inc(labelsOf(index), index * 7);
      return rendersWhole(registers[0]);
    },
  },
];

/** The others answer one string, which is all that a server can send. */
function rendersWhole(metrics: { metrics(): Promise<string> } | undefined): Filled {
  const render = async (): Promise<number> => (await metrics?.metrics())?.length ?? 0;
  return { render, serve: render };
}

/**
 * What cannot be undercut by much: one loop over prepared bytes that copies each and writes its number after it. For
 * orientation only: a million such byte arrays would take more memory than the series themselves.
 */
export function floor(series: number): () => number {
  const prefixes = Array.from({ length: series }, (_, index) => {
    const { org, arch, result } = labelsOf(index);
    return Buffer.from(`${name}{org="${org}",arch="${arch}",result="${result}"} `);
  });
  const out = Buffer.alloc(series * 100);
  return () => {
    let at = 0;
    let value = 0;
    for (const prefix of prefixes) {
      out.set(prefix, at);
      at += prefix.length;
      let end = at;
      for (let rest = value; rest > 0 || end === at; rest = (rest / 10) | 0) end++;
      let rest = value;
      for (let digit = end - 1; digit >= at; digit--) {
        const next = (rest / 10) | 0;
        out[digit] = 48 + rest - next * 10;
        rest = next;
      }
      at = end;
      out[at++] = 10;
      value += 7;
    }
    return at;
  };
}
