import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../base/index.ts';
import { collectorConformance } from '../conformance.ts';
import { newSet, scrape } from '../testing/sources.ts';
import { createRuntimeCollector, type RuntimeCollector } from './runtime.ts';
import { heapFigures, heapSpaceFigures } from './runtime/heap.ts';

const linux = process.platform === 'linux';
const opened: RuntimeCollector[] = [];
afterEach(() => {
  for (const collector of opened.splice(0)) collector.close();
});

function open(procDirectory?: string): RuntimeCollector {
  const options = { version: '1.2.3', clock: systemClock };
  const collector = createRuntimeCollector(procDirectory === undefined ? options : { ...options, procDirectory });
  opened.push(collector);
  return collector;
}

/** The samples of one read, from a strict parser. */
const samplesOf = (collector: RuntimeCollector) => scrape(collector.collect());

/** The number of observations above a bound. */
function above(samples: ReadonlyMap<string, number>, family: string, bound: string, labels = ''): number {
  const at = (le: string) => samples.get(`${family}_bucket{${labels}le="${le}"}`) ?? NaN;
  return at('+Inf') - at(bound);
}

describe('the collector contract', () => {
  collectorConformance({ open: () => open(), source: { unbreakable: 'it is this process, which is read at once' } });
});

describe('the process', () => {
  test('its CPU time is that of Node.js, and the sum of its parts', () => {
    const before = process.cpuUsage();
    const samples = samplesOf(open());
    const after = process.cpuUsage();
    const [all, user, system] = ['', 'user_', 'system_'].map((mode) =>
      samples.get(`process_cpu_${mode}seconds_total`)!,
    );
    expect(all).toBeCloseTo(user! + system!, 6);
    expect(all).toBeGreaterThanOrEqual((before.user + before.system) / 1e6 - 0.001);
    expect(all).toBeLessThanOrEqual((after.user + after.system) / 1e6 + 0.001);
  });

  test('its CPU time rises during work', () => {
    const collector = open();
    const before = samplesOf(collector).get('process_cpu_seconds_total')!;
    const begun = process.cpuUsage();
    while (process.cpuUsage(begun).user + process.cpuUsage(begun).system < 50_000);
    expect(samplesOf(collector).get('process_cpu_seconds_total')).toBeGreaterThanOrEqual(before + 0.049);
  });

  test('its start time is when it started', () => {
    const started = Date.now() / 1000 - process.uptime();
    expect(Math.abs(samplesOf(open()).get('process_start_time_seconds')! - started)).toBeLessThan(2);
  });

  test('its memory is that of Node.js, and never above the peak', () => {
    const samples = samplesOf(open());
    const resident = samples.get('process_resident_memory_bytes')!;
    expect(resident / process.memoryUsage.rss()).toBeCloseTo(1, 0);
    expect(samples.get('process_resident_memory_peak_bytes')).toBeGreaterThanOrEqual(resident);
  });

  test('array buffers are counted', () => {
    const collector = open();
    const before = samplesOf(collector).get('nodejs_array_buffers_bytes')!;
    const held = new ArrayBuffer(64 * 1024 * 1024);
    expect(samplesOf(collector).get('nodejs_array_buffers_bytes')! - before).toBeGreaterThan(held.byteLength / 2);
  });

  test('page faults and context switches are counted', () => {
    const samples = samplesOf(open());
    const usage = process.resourceUsage();
    expect(samples.get('process_minor_pagefaults_total')).toBeGreaterThan(0);
    expect(samples.get('process_minor_pagefaults_total')).toBeLessThanOrEqual(usage.minorPageFault);
    expect(samples.get('process_context_switches_total{kind="voluntary"}')).toBeLessThanOrEqual(
      usage.voluntaryContextSwitches,
    );
  });
});

describe.runIf(linux)('the figures from Linux', () => {
  test('are complete', () => {
    const names = [...samplesOf(open()).keys()];
    expect(names).toEqual(
      expect.arrayContaining([
        'process_virtual_memory_bytes',
        'process_virtual_memory_max_bytes',
        'process_threads',
        'process_open_fds',
        'process_max_fds',
        'process_io_storage_read_bytes_total',
        'process_io_storage_written_bytes_total',
        'process_network_receive_bytes_total',
        'process_network_transmit_bytes_total',
      ]),
    );
  });

  test('open files are counted as they open and close', () => {
    const collector = open();
    const openFiles = () => samplesOf(collector).get('process_open_fds')!;
    const before = openFiles();
    expect(before).toBe(readdirSync('/proc/self/fd').length - 1);
    const files = Array.from({ length: 5 }, () => openSync('/dev/null', 'r'));
    expect(openFiles()).toBe(before + 5);
    for (const file of files) closeSync(file);
    expect(openFiles()).toBe(before);
  });

  test('threads and memory agree with other files of the kernel', () => {
    const samples = samplesOf(open());
    const status = readFileSync('/proc/self/status', 'utf8');
    expect(samples.get('process_threads')).toBe(Number(/^Threads:\s+(\d+)$/m.exec(status)?.[1]));
    const virtual = Number(/^VmSize:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
    expect(samples.get('process_virtual_memory_bytes')! / virtual).toBeCloseTo(1, 1);
    expect(samples.get('process_max_fds')).toBeGreaterThan(samples.get('process_open_fds')!);
  });

  test('network bytes rise with traffic', async () => {
    const collector = open();
    const before = samplesOf(collector);
    const size = 1024 * 1024;
    const server = createServer((socket) => socket.end(Buffer.alloc(size))).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1').resume();
    await new Promise((resolve) => client.once('close', resolve));
    server.close();
    const after = samplesOf(collector);
    for (const direction of ['receive', 'transmit']) {
      const name = `process_network_${direction}_bytes_total`;
      expect(after.get(name)! - before.get(name)!).toBeGreaterThanOrEqual(size);
    }
  });
});

describe('a system with fewer figures', () => {
  const onlyOfLinux = /^process_(virtual|threads|open_fds|max_fds|io|network)/;
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'tonnage-proc-'));
    return () => rmSync(directory, { recursive: true, force: true });
  });

  test('has fewer families, and no 0 for an unknown value', () => {
    const names = [...samplesOf(open(join(directory, 'none'))).keys()];
    expect(names.filter((name) => onlyOfLinux.test(name))).toEqual([]);
    expect(names).toEqual(expect.arrayContaining(['process_cpu_seconds_total', 'process_resident_memory_bytes']));
  });

  test.runIf(linux)('counts the list of open files if the size of the directory is 0', () => {
    // Most of the kernel's directories have size 0. This one lists threads.
    symlinkSync('/proc/self/task', join(directory, 'fd'));
    const threads = readdirSync('/proc/self/task').length;
    expect(samplesOf(open(directory)).get('process_open_fds')).toBe(threads - 1);
  });

  test('ignores files with an unexpected format', () => {
    for (const name of ['stat', 'limits', 'io']) writeFileSync(join(directory, name), 'something else\n');
    const names = [...samplesOf(open(directory)).keys()];
    expect(names.filter((name) => /^process_(virtual|threads|max_fds|io)/.test(name))).toEqual([]);
  });
});

describe('the V8 heap', () => {
  test('exactly the figures of V8 have families', () => {
    expect(Object.keys(heapFigures).toSorted()).toEqual(Object.keys(getHeapStatistics()).sort());
    expect(['space_name', ...Object.keys(heapSpaceFigures)].sort()).toEqual(
      Object.keys(getHeapSpaceStatistics()[0]!).sort(),
    );
  });

  test('figures are those of V8', () => {
    const samples = samplesOf(open());
    const heap = getHeapStatistics();
    expect(samples.get('nodejs_heap_size_limit_bytes')).toBe(heap.heap_size_limit);
    expect(samples.get('nodejs_heap_zaps_garbage')).toBe(heap.does_zap_garbage);
    expect(samples.get('nodejs_heap_size_used_bytes')! / heap.used_heap_size).toBeCloseTo(1, 0);
    const spaces = getHeapSpaceStatistics().map(({ space_name }) => space_name.replace('_space', ''));
    for (const space of spaces) {
      expect(samples.has(`nodejs_heap_space_size_used_bytes{space="${space}"}`), space).toBe(true);
    }
  });

  test('allocated bytes only rise, even across a collection', () => {
    const collector = open();
    const allocated = () => samplesOf(collector).get('nodejs_heap_allocated_bytes_total')!;
    const before = allocated();
    let made = Array.from({ length: 100_000 }, (_, index) => ({ index }));
    const after = allocated();
    expect(after - before).toBeGreaterThan(made.length * 8);
    made = [];
    collectGarbage();
    expect(allocated()).toBeGreaterThanOrEqual(after);
  });
});

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  setFlagsFromString('--no-expose-gc');
}

describe('garbage collections', () => {
  test('of each kind are exposed from the start', () => {
    const samples = samplesOf(open());
    for (const kind of ['minor', 'major', 'incremental', 'weakcb']) {
      expect(samples.has(`nodejs_gc_duration_seconds_count{kind="${kind}"}`), kind).toBe(true);
    }
  });

  test('are observed with their pause', async () => {
    const collector = open();
    const major = () => samplesOf(collector).get('nodejs_gc_duration_seconds_count{kind="major"}')!;
    const before = major();
    collectGarbage();
    await vi.waitFor(() => expect(major()).toBeGreaterThan(before), { timeout: 60_000 });
    const sum = samplesOf(collector).get('nodejs_gc_duration_seconds_sum{kind="major"}')!;
    expect(sum).toBeGreaterThan(0.0001);
    expect(sum).toBeLessThan(5);
  });

  test('are not observed after close', async () => {
    const collector = open();
    collector.close();
    const count = () => samplesOf(collector).get('nodejs_gc_duration_seconds_count{kind="major"}');
    const before = count();
    collectGarbage();
    await pause(20);
    expect(count()).toBe(before);
  });
});

describe('the event loop', () => {
  test('exposes a block in the histogram of its lag', async () => {
    const collector = open();
    await pause(120);
    const lag = (samples: ReadonlyMap<string, number>) => above(samples, 'nodejs_eventloop_lag_seconds', '0.1');
    const before = lag(samplesOf(collector));
    const until = systemClock.monotonic() + 250;
    while (systemClock.monotonic() < until);
    await vi.waitFor(() => expect(lag(samplesOf(collector))).toBeGreaterThanOrEqual(before + 1), { timeout: 60_000 });
    const samples = samplesOf(collector);
    expect(samples.get('nodejs_eventloop_lag_seconds_sum')).toBeGreaterThan(0.15);
  });

  test('its lag is sampled about twenty times a second while idle, and not after close', async () => {
    const begun = systemClock.monotonic();
    const collector = open();
    const count = () => samplesOf(collector).get('nodejs_eventloop_lag_seconds_count')!;
    // Less often on a busy machine, and never more often.
    await vi.waitFor(() => expect(count()).toBeGreaterThanOrEqual(5), { timeout: 60_000, interval: 20 });
    const sampled = count();
    expect(sampled).toBeLessThanOrEqual((systemClock.monotonic() - begun) / 45 + 1);
    collector.close();
    const atTheEnd = count();
    await pause(120);
    expect(count()).toBe(atTheEnd);
  });

  test('its active and idle seconds add up to the elapsed time', async () => {
    const collector = open();
    const read = () => {
      const from = systemClock.monotonic() / 1000;
      const samples = samplesOf(collector);
      const to = systemClock.monotonic() / 1000;
      const [active, idle] = ['active', 'idle'].map((state) =>
        samples.get(`nodejs_eventloop_time_seconds_total{state="${state}"}`),
      );
      return { active: active!, idle: idle!, from, to };
    };
    const before = read();
    const until = systemClock.monotonic() + 100;
    while (systemClock.monotonic() < until);
    await pause(100);
    const after = read();
    expect(after.active - before.active).toBeGreaterThan(0.08);
    expect(after.idle - before.idle).toBeGreaterThan(0.05);
    const both = after.active - before.active + after.idle - before.idle;
    expect(both).toBeGreaterThan(after.from - before.to - 0.05);
    expect(both).toBeLessThan(after.to - before.from + 0.05);
  });

  test('its iterations are counted', async () => {
    const collector = open();
    const turns = () => samplesOf(collector).get('nodejs_eventloop_iterations_total')!;
    const before = turns();
    await pause(30);
    expect(turns()).toBeGreaterThan(before);
  });
});

describe('resources and threads', () => {
  test('are counted by type, and a type without resources stays at 0', async () => {
    const collector = open();
    const timers = () => samplesOf(collector).get('nodejs_active_resources{type="Timeout"}');
    const running = Array.from({ length: 10 }, () => setTimeout(() => undefined, 60_000));
    const counted = timers()!;
    expect(counted).toBeGreaterThanOrEqual(10);
    for (const timer of running) clearTimeout(timer);
    expect(timers()).toBeLessThanOrEqual(counted - 10);
    expect(timers()).toBeDefined();
  });

  test('running and started worker threads are counted', async () => {
    const collector = open();
    const threads = () => {
      const samples = samplesOf(collector);
      return [samples.get('nodejs_worker_threads'), samples.get('nodejs_worker_threads_started_total')];
    };
    expect(threads()).toEqual([0, 0]);
    const workers = [1, 2].map(() => new Worker('setInterval(() => undefined, 1000)', { eval: true }));
    await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('online', resolve))));
    expect(threads()).toEqual([2, 2]);
    await Promise.all(workers.map((worker) => worker.terminate()));
    expect(threads()).toEqual([0, 2]);
  });
});

describe('versions', () => {
  test('of this program, of Node.js and of all its components', () => {
    const infos = open()
      .collect()
      .filter(({ type }) => type === 'info');
    const facts = new Map(
      infos.map((family) => [
        family.name,
        [...family.points].map((point) => 'info' in point && point.info.toJSON())[0],
      ]),
    );
    expect(facts.get('tonnage_build')).toEqual({ version: '1.2.3' });
    const [major, minor, patch] = process.versions.node.split('.');
    const parts = Object.entries(process.versions).filter(([, version]) => version !== '');
    expect(facts.get('nodejs_version')).toEqual({
      version: process.version,
      major,
      minor,
      patch,
      ...Object.fromEntries(parts),
    });
    expect(parts.map(([name]) => name)).toEqual(expect.arrayContaining(['v8', 'uv', 'sqlite', 'openssl']));
  });
});

test('a read, including its checks, takes well under a millisecond', () => {
  const { set } = newSet(systemClock);
  set.add({ name: 'runtime', collector: open(), interval: 'scrape' });
  const durations = Array.from({ length: 200 }, () => {
    const begun = systemClock.monotonic();
    set.gather();
    return systemClock.monotonic() - begun;
  });
  // The minimum, not the median: the machine may be busy most of the time.
  expect(durations.toSorted((a, b) => a - b)[20]).toBeLessThan(1);
});
