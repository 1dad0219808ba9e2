import { performance } from 'node:perf_hooks';
import type { MetricFamily } from '../../../metric/index.ts';
import { byLabel, counter, gauge, single } from './figure.ts';

const figures = {
  cpu: counter('process_cpu_seconds', 'CPU time of all threads of the process, user and system.'),
  cpuUser: counter('process_cpu_user_seconds', 'CPU time of the process in user mode.'),
  cpuSystem: counter('process_cpu_system_seconds', 'CPU time of the process in the kernel.'),
  startTime: gauge('process_start_time_seconds', 'When the process started, in Unix time.'),
  resident: gauge('process_resident_memory_bytes', 'Resident memory of the process.'),
  residentPeak: gauge('process_resident_memory_peak_bytes', 'Peak resident memory of the process.'),
  majorFaults: counter('process_major_pagefaults', 'Page faults that required reading from storage.'),
  minorFaults: counter('process_minor_pagefaults', 'Page faults that required no reading from storage.'),
  switches: counter(
    'process_context_switches',
    'Context switches: a thread waited (voluntary) or was preempted (involuntary).',
  ),
  arrayBuffers: gauge(
    'nodejs_array_buffers_bytes',
    'Bytes in array buffers, including those of Node.js buffers. Part of the external memory.',
  ),
};

/**
 * Figures of the process that Node.js provides on every system, with the names of Prometheus client libraries. Omits
 * the fields of getrusage(2) that Linux does not maintain (swaps, signals, messages, sizes of segments).
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
    // The kernel updates the peak only occasionally.
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
