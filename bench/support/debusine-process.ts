/**
 * Our side of the benchmark `debusine`: `node debusine-process.ts DSN NOW ZERO_FILL`. Reads a Debusine source whenever it
 * is asked, until its input ends. Each line of input is a request, and each answer one line of JSON; times are in ms.
 *
 * - `time`: reads the source through the collector's snapshot and renders it as OpenMetrics.
 * - `page FILE`: the same, and writes the page to the file.
 * - `family NAME`: reads one of the families that are off by default.
 * - `stalls`: the longest time that a read, and that a paced rendering, hold the event loop.
 * - `memory`: the process's memory now and at its peak, in bytes.
 */
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { systemClock, type Log } from '../../src/base/index.ts';
import { clockAt, openSources } from '../../src/collector/drivers/debusine/testing/open-debusine.ts';
import { CollectorSet } from '../../src/collector/index.ts';
import { encode, openMetrics, paced } from '../../src/exposition/index.ts';
import { MetricSet } from '../../src/metric/index.ts';
import { longestStall } from './stall.ts';

const [dsn = '', now = '', zeroFill = ''] = process.argv.slice(2);

const quiet = (): void => undefined;
const complain = (fields: object, message: string): void => console.error(message, fields);
const log: Log = { debug: quiet, info: quiet, warn: complain, error: complain };
const families = { artifact_file_size: { timeout: '1m' } };
const set = new CollectorSet({ metrics: new MetricSet(), clock: clockAt(new Date(now)), log });
for (const source of await openSources(dsn, new Date(now), { zeroFill, families })) set.add(source);

const rendered = (): Iterable<Uint8Array> => encode(set.families('farm'), openMetrics, { reuse: true });

async function time(): Promise<object> {
  const begun = performance.now();
  await set.read('farm');
  const read = performance.now();
  let bytes = 0;
  for (const chunk of rendered()) bytes += chunk.length;
  const ended = performance.now();
  return { ms: ended - begun, renderMs: ended - read, bytes };
}

async function answer(request: string, argument = ''): Promise<object> {
  switch (request) {
    case 'time':
      return time();
    case 'page': {
      await set.read('farm');
      // A chunk is valid until the next one.
      writeFileSync(argument, Buffer.concat(Array.from(rendered(), (chunk) => Buffer.from(chunk))));
      return {};
    }
    case 'family': {
      const begun = performance.now();
      await set.read(`farm:${argument}`);
      return { ms: performance.now() - begun };
    }
    case 'stalls': {
      const collecting = await longestStall(() => set.read('farm'));
      const rendering = await longestStall(async () => {
        for await (const _ of paced(rendered(), systemClock));
      });
      return { collecting, rendering };
    }
    case 'memory':
      return { now: process.memoryUsage.rss(), peak: process.resourceUsage().maxRSS * 1024 };
  }
  throw new Error(`expected a request, got ${request}`);
}

for await (const line of createInterface({ input: process.stdin })) {
  const [request = '', argument] = line.split(' ');
  process.stdout.write(`${JSON.stringify(await answer(request, argument))}\n`);
}
await set.close();
