import { performance } from 'node:perf_hooks';
import type { MetricFamily } from '../../../metric/index.ts';
import { byLabel, counter, gauge, single } from './figure.ts';

const figures = {
  cpu: counter('process_cpu_seconds', 'CPU time of the process, all threads, user and system together.', 'seconds'),
  cpuUser: counter('process_cpu_user_seconds', 'CPU time of the process in user mode.', 'seconds'),
  cpuSystem: counter('process_cpu_system_seconds', 'CPU time of the process in the kernel.', 'seconds'),
  startTime: gauge('process_start_time_seconds', 'When the process started, in Unix time.', 'seconds'),
  resident: gauge('process_resident_memory_bytes', 'Memory that the process occupies.', 'bytes'),
  residentPeak: gauge(
    'process_resident_memory_peak_bytes',
    'Most memory that the process has occupied at a time.',
    'bytes',
  ),
  majorFaults: counter('process_major_pagefaults', 'Page faults that had to wait for storage.'),
  minorFaults: counter('process_minor_pagefaults', 'Page faults that needed no storage.'),
  switches: counter(
    'process_context_switches',
    'Times that a thread left the CPU: because it waited (voluntary), or because another was given it (involuntary).',
  ),
  arrayBuffers: gauge(
    'nodejs_array_buffers_bytes',
    'Bytes that array buffers hold, those of Node.js buffers included; part of the external memory.',
    'bytes',
  ),
};

/**
 * What Node.js tells of the process on every system, under the names that Prometheus client libraries use. Of
 * getrusage(2) what Linux does not keep is left out (swaps, signals, messages, sizes of segments).
 */
export function processFamilies(): MetricFamily[] {
  const usage = process.resourceUsage();
  const { rss, arrayBuffers } = process.memoryUsage();
  const [user, system] = [usage.userCPUTime / 1e6, usage.systemCPUTime / 1e6];
  return [
    ...single(figures.cpu, user + system),
    ...single(figures.cpuUser, user),
    ...single(figures.cpuSystem, system),
    ...single(figures.startTime, performance.timeOrigin / 1000),
    ...single(figures.resident, rss),
    // The kernel updates the peak now and then only, so that it may be behind.
    ...single(figures.residentPeak, Math.max(rss, usage.maxRSS * 1024)),
    ...single(figures.majorFaults, usage.majorPageFault),
    ...single(figures.minorFaults, usage.minorPageFault),
    byLabel(figures.switches, 'kind', [
      ['voluntary', usage.voluntaryContextSwitches],
      ['involuntary', usage.involuntaryContextSwitches],
    ]),
    ...single(figures.arrayBuffers, arrayBuffers),
  ];
}
