import type { Clock } from '../../base/index.ts';
import { MetricSet, type MetricFamily } from '../../metric/index.ts';
import type { InstantCollector } from '../contract.ts';
import { EventLoop } from './runtime/event-loop.ts';
import { GarbageCollections } from './runtime/garbage-collection.ts';
import { heapFamilies } from './runtime/heap.ts';
import { ProcDirectory } from './runtime/proc-directory.ts';
import { processFamilies } from './runtime/process-usage.ts';
import { Resources } from './runtime/resources.ts';
import { versionFamilies } from './runtime/versions.ts';

interface RuntimeCollectorOptions {
  /** Version of this program, for `tonnage_build_info`. */
  readonly version: string;
  readonly clock: Clock;
  /** Directory of the files about this process. Default: `/proc/self`. Missing files are ignored. */
  readonly procDirectory?: string;
}

/** Reads the figures of this process from the operating system, V8 and libuv. */
export interface RuntimeCollector extends InstantCollector {
  collect(): readonly MetricFamily[];
  /** Stops measuring garbage collections, the event loop and worker threads. */
  close(): void;
}

/**
 * Creates the collector of this process. It measures garbage collections, the event loop's lag and worker threads from
 * now on, so create it before anything else. A read is synchronous and takes about 0.1 ms.
 */
export function createRuntimeCollector(options: RuntimeCollectorOptions): RuntimeCollector {
  const { version, clock, procDirectory = '/proc/self' } = options;
  const measured = new MetricSet({ clock });
  const collections = new GarbageCollections(measured);
  const eventLoop = new EventLoop(measured, clock);
  // Omit the set's families about itself: the set of the process has its own.
  const histograms = measured.gather().filter(({ type }) => type === 'histogram');
  const directory = new ProcDirectory(procDirectory);
  const resources = new Resources();
  const versions = versionFamilies(version);
  return {
    collect() {
      collections.update();
      return [
        ...versions,
        ...processFamilies(),
        ...directory.families(),
        ...heapFamilies(),
        ...histograms,
        ...eventLoop.families(),
        ...resources.families(),
      ];
    },
    close() {
      collections.close();
      eventLoop.close();
      resources.close();
    },
  };
}
