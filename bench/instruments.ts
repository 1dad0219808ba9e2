/** What counting costs where it happens: bound and unbound increments, observations. Candidates in turn, medians. */
import {
  Counter as OfficialCounter,
  Histogram as OfficialHistogram,
  Registry as OfficialRegistry,
} from '@prometheus-io/client';
import { Counter as PromCounter, Histogram as PromHistogram, Registry as PromRegistry } from 'prom-client';
import { MetricSet } from '../src/metric/index.ts';
import { caseLine } from './support/cases.ts';
import { describe, inTurns, type Candidate } from './support/turns.ts';

const rounds = 7;
const help = 'Pulls of the benchmark.';
const labelNames = ['org', 'arch', 'result'] as const;
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const labels = { org: 'example.org', arch: 'amd64', result: 'ok' };

const set = new MetricSet();
const ourCounter = set.counter({ name: 'pulls', help, labels: labelNames });
const ourHistogram = set.histogram({ name: 'wait', help, labels: labelNames, buckets });
const promRegisters = [new PromRegistry()];
const promCounter = new PromCounter({ name: 'pulls', help, labelNames, registers: promRegisters });
const promHistogram = new PromHistogram({ name: 'wait', help, labelNames, buckets, registers: promRegisters });
const officialRegisters = [new OfficialRegistry()];
const officialCounter = new OfficialCounter({ name: 'pulls', help, labelNames, registers: officialRegisters });
const officialHistogram = new OfficialHistogram({
  name: 'wait',
  help,
  labelNames,
  buckets,
  registers: officialRegisters,
});

const ourBound = ourCounter.labels(labels);
const promBound = promCounter.labels(labels);
const officialBound = officialCounter.labels(labels);
const ourWait = ourHistogram.labels(labels);
const promWait = promHistogram.labels(labels);
const officialWait = officialHistogram.labels(labels);

/** Nanoseconds per call. `loop` runs its call that many times, so that no call goes through a function in between. */
function candidate(name: string, times: number, loop: (times: number) => void): Candidate {
  return {
    name,
    measure() {
      const start = performance.now();
      loop(times);
      return ((performance.now() - start) * 1e6) / times;
    },
  };
}

const comparisons: Readonly<Record<string, readonly Candidate[]>> = {
  'inc() of a bound series': [
    candidate('tonnage', 20_000_000, (times) => {
      for (let n = 0; n < times; n++) ourBound.inc();
    }),
    candidate('prom-client', 2_000_000, (times) => {
      for (let n = 0; n < times; n++) promBound.inc();
    }),
    candidate('@prometheus-io/client', 2_000_000, (times) => {
      for (let n = 0; n < times; n++) officialBound.inc();
    }),
  ],
  'inc() by labels': [
    candidate('tonnage', 2_000_000, (times) => {
      for (let n = 0; n < times; n++) ourCounter.labels(labels).inc();
    }),
    candidate('prom-client', 2_000_000, (times) => {
      for (let n = 0; n < times; n++) promCounter.inc(labels);
    }),
    candidate('@prometheus-io/client', 2_000_000, (times) => {
      for (let n = 0; n < times; n++) officialCounter.inc(labels);
    }),
  ],
  'observe() of a bound series': [
    candidate('tonnage', 10_000_000, (times) => {
      for (let n = 0; n < times; n++) ourWait.observe((n & 1023) / 100);
    }),
    candidate('prom-client', 1_000_000, (times) => {
      for (let n = 0; n < times; n++) promWait.observe((n & 1023) / 100);
    }),
    candidate('@prometheus-io/client', 1_000_000, (times) => {
      for (let n = 0; n < times; n++) officialWait.observe((n & 1023) / 100);
    }),
  ],
};

const lines: string[] = [];
for (const [what, candidates] of Object.entries(comparisons)) {
  console.log(what);
  const measured = await inTurns(candidates, rounds);
  for (const one of measured) console.log(`  ${describe(one, 'ns')}`);
  const [ours, ...peers] = measured;
  for (const peer of peers) {
    const figures = { ours: ours?.median ?? Number.NaN, peer: peer.median, unit: 'ns', better: 'lower' } as const;
    lines.push(caseLine({ bench: 'instruments', case: `${what} vs ${peer.name}`, ...figures }));
  }
}
for (const line of lines) console.log(line);
