/**
 * Rendering one counter with three labels as Prometheus text, against the two clients of the field. Time, the longest
 * hold of the event loop, bytes and memory are measured in fresh processes, the candidates in turn.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { caseLine, median } from './support/cases.ts';
import { candidates, floor } from './support/exposition-candidates.ts';
import type { ProcessFigures } from './support/exposition-process.ts';

const sizes = { '1k': 1_000, '10k': 10_000, '100k': 100_000, '1M': 1_000_000 };
const units = { time: 'ms', stall: 'ms', bytes: 'bytes', rss: 'MB' } as const;
const rounds = 3;
const script = fileURLToPath(new URL('./support/exposition-process.ts', import.meta.url));

function measureAlone(name: string, series: number): ProcessFigures {
  const run = spawnSync(process.execPath, ['--max-old-space-size=6000', script, name, String(series)], {
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`${name} with ${series} series failed:\n${run.stderr}`);
  return figuresOf(run.stdout);
}

function figuresOf(line: string): ProcessFigures {
  const read: unknown = JSON.parse(line);
  const figure = (key: string): number => {
    const value: unknown = typeof read === 'object' && read !== null ? Reflect.get(read, key) : undefined;
    if (typeof value !== 'number') throw new Error(`expected a number for ${key}, got ${line}`);
    return value;
  };
  return { time: figure('time'), stall: figure('stall'), bytes: figure('bytes'), rss: figure('rss') };
}

/** Median figures of several processes of each candidate, in turn. The largest size takes one round: it is long enough. */
function measureInTurns(series: number): Map<string, ProcessFigures> {
  const runs = new Map<string, ProcessFigures[]>(candidates.map(({ name }) => [name, []]));
  for (let round = 0; round < (series >= 1_000_000 ? 1 : rounds); round++) {
    for (const { name } of candidates) runs.get(name)?.push(measureAlone(name, series));
  }
  const middle = (figures: readonly ProcessFigures[], key: keyof ProcessFigures): number =>
    median(figures.map((one) => one[key]));
  return new Map(
    [...runs].map(([name, figures]) => [
      name,
      {
        time: middle(figures, 'time'),
        stall: middle(figures, 'stall'),
        bytes: middle(figures, 'bytes'),
        rss: middle(figures, 'rss'),
      },
    ]),
  );
}

/** The bare loop in this process, in ms. */
function floorTime(series: number): number {
  const loop = floor(series);
  loop();
  return median(
    Array.from({ length: 9 }, () => {
      const start = performance.now();
      loop();
      return performance.now() - start;
    }),
  );
}

const lines: string[] = [];
for (const [size, series] of Object.entries(sizes)) {
  const measured = measureInTurns(series);
  const ours = measured.get('tonnage');
  if (ours === undefined) throw new Error('nothing was measured');
  if (series === 100_000) {
    const bare = floorTime(series);
    console.log(`${size}: a bare loop takes ${bare.toFixed(1)} ms, ours ${(ours.time / bare).toFixed(2)} times that`);
  }
  for (const [name, { time, stall, bytes, rss }] of measured) {
    const figures = `${time.toFixed(2)} ms, stall ${stall.toFixed(2)} ms, ${bytes} bytes, ${rss.toFixed(0)} MB`;
    console.log(`${size.padEnd(5)}${name.padEnd(24)}${figures}`);
  }
  for (const kind of ['time', 'stall', 'bytes', 'rss'] as const) {
    for (const peer of ['prom-client', '@prometheus-io/client']) {
      lines.push(
        caseLine({
          bench: 'exposition',
          case: `${size} ${kind} vs ${peer}`,
          ours: ours[kind],
          peer: measured.get(peer)?.[kind] ?? Number.NaN,
          unit: units[kind],
          better: 'lower',
        }),
      );
    }
  }
}
for (const line of lines) console.log(line);
