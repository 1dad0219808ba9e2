import { getHeapSpaceStatistics, getHeapStatistics, type HeapInfo, type HeapSpaceInfo } from 'node:v8';
import type { MetricFamily } from '../../../metric/index.ts';
import { byLabel, counter, gauge, single, type Figure } from './figure.ts';

/** Every figure of `v8.getHeapStatistics()`; a test compares the two. */
export const heapFigures: Readonly<Record<keyof HeapInfo, Figure>> = {
  total_heap_size: gauge('nodejs_heap_size_total_bytes', 'Size of the V8 heap of the main thread.'),
  used_heap_size: gauge(
    'nodejs_heap_size_used_bytes',
    'Bytes of the V8 heap in use by objects, including garbage that is not yet collected.',
  ),
  total_heap_size_executable: gauge(
    'nodejs_heap_size_executable_bytes',
    'Size of the part of the V8 heap that holds compiled code.',
  ),
  total_physical_size: gauge('nodejs_heap_size_physical_bytes', 'Bytes of the V8 heap that are backed by memory.'),
  total_available_size: gauge(
    'nodejs_heap_size_available_bytes',
    'Bytes that can still be allocated on the V8 heap before it reaches its limit.',
  ),
  heap_size_limit: gauge(
    'nodejs_heap_size_limit_bytes',
    'Size limit of the V8 heap, at which the process runs out of memory.',
  ),
  malloced_memory: gauge('nodejs_heap_malloced_bytes', 'Bytes that V8 has allocated outside its heap for itself.'),
  peak_malloced_memory: gauge(
    'nodejs_heap_malloced_peak_bytes',
    'Peak of the bytes that V8 has allocated outside its heap for itself.',
  ),
  does_zap_garbage: gauge(
    'nodejs_heap_zaps_garbage',
    'Whether V8 overwrites garbage (1) or not (0). Overwriting keeps the whole heap backed by memory.',
  ),
  number_of_native_contexts: gauge(
    'nodejs_heap_native_contexts',
    'Top-level contexts of V8. A steady increase indicates a leak.',
  ),
  number_of_detached_contexts: gauge(
    'nodejs_heap_detached_contexts',
    'Detached contexts of V8 that are not yet collected. Contexts that remain indicate a leak.',
  ),
  total_global_handles_size: gauge(
    'nodejs_heap_global_handles_size_bytes',
    'Size of the tables of global handles, which are references to objects from outside the V8 heap.',
  ),
  used_global_handles_size: gauge(
    'nodejs_heap_global_handles_used_bytes',
    'Bytes of the tables of global handles that are in use.',
  ),
  external_memory: gauge(
    'nodejs_external_memory_bytes',
    'Bytes outside the V8 heap that its objects hold, such as buffers.',
  ),
  total_allocated_bytes: counter(
    'nodejs_heap_allocated_bytes',
    'Bytes allocated on the V8 heap of the main thread, including those already collected.',
  ),
};

/** Every figure of `v8.getHeapSpaceStatistics()`, one series for each space. */
export const heapSpaceFigures: Readonly<Record<Exclude<keyof HeapSpaceInfo, 'space_name'>, Figure>> = {
  space_size: gauge('nodejs_heap_space_size_total_bytes', 'Size of one space of the V8 heap.'),
  space_used_size: gauge('nodejs_heap_space_size_used_bytes', 'Bytes of one space of the V8 heap in use by objects.'),
  space_available_size: gauge(
    'nodejs_heap_space_size_available_bytes',
    'Bytes of one space of the V8 heap that are free.',
  ),
  physical_space_size: gauge(
    'nodejs_heap_space_size_physical_bytes',
    'Bytes of one space of the V8 heap that are backed by memory.',
  ),
};

/**
 * The V8 heap of the main thread, in total and by space. Omits figures that this version of Node.js does not have, and
 * `v8.getHeapCodeStatistics()`, which takes most of a millisecond because it walks through all compiled code.
 */
export function heapFamilies(): MetricFamily[] {
  const heap = new Map<string, number>(Object.entries(getHeapStatistics()));
  const spaces = getHeapSpaceStatistics().map(({ space_name: name, ...sizes }) => {
    return { name: name.replace(/_space$/, ''), sizes: new Map(Object.entries(sizes)) };
  });
  return [
    ...Object.entries(heapFigures).flatMap(([key, figure]) => single(figure, heap.get(key))),
    ...Object.entries(heapSpaceFigures).map(([key, figure]) =>
      byLabel(
        figure,
        'space',
        spaces.flatMap(({ name, sizes }) => {
          const size = sizes.get(key);
          return size === undefined ? [] : [[name, size] as const];
        }),
      ),
    ),
  ];
}
