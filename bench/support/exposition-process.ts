/**
 * One candidate alone in a process: `node exposition-process.ts NAME SERIES`. Prints one line of JSON: how long a
 * rendering takes, how long it holds the event loop at a stretch, what it allocates, and the memory that the process needs.
 */
import { getHeapStatistics } from 'node:v8';
import { median } from './cases.ts';
import { candidates } from './exposition-candidates.ts';
import { longestStall } from './stall.ts';

export interface ProcessFigures {
  /** Median time of a rendering, in ms. */
  readonly time: number;
  /** The longest that the event loop was held while a scrape was served, in ms: median of several scrapes. */
  readonly stall: number;
  /** What one rendering allocates on the heap, in bytes: median. */
  readonly bytes: number;
  /** The process's largest resident set, in MB. */
  readonly rss: number;
}

const [name, series] = process.argv.slice(2);
const candidate = candidates.find((known) => known.name === name);
if (candidate === undefined)
  throw new Error(`expected one of ${candidates.map((known) => known.name).join(', ')}, got ${name}`);
const filled = candidate.fill(Number(series));
/** Small sets are rendered often, as they are in a process that has run for a while. */
const rounds = Number(series) >= 1_000_000 ? 5 : Math.max(15, Math.ceil(500_000 / Number(series)));

/** All that the engine has ever allocated on its heap, collected or not. */
function allocatedBytes(): number {
  return Number(Reflect.get(getHeapStatistics(), 'total_allocated_bytes'));
}

await filled.render();
const allocated: number[] = [];
const times: number[] = [];
const stalls: number[] = [];
for (let round = 0; round < rounds; round++) {
  const before = allocatedBytes();
  const start = performance.now();
  await filled.render();
  times.push(performance.now() - start);
  allocated.push(allocatedBytes() - before);
  stalls.push(await longestStall(() => filled.serve()));
}
const rss = process.resourceUsage().maxRSS / 1024;
const figures: ProcessFigures = { time: median(times), stall: median(stalls), bytes: median(allocated), rss };
process.stdout.write(`${JSON.stringify(figures)}\n`);
