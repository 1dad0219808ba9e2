import { moduleBeside, Thread } from '../thread/index.ts';
import type { WorkerFunctions, WorkerOptions } from './protocol.ts';

/** A thread that has one file open. */
export type FileThread = Thread<WorkerFunctions>;

export function createFileThread(options: WorkerOptions): FileThread {
  return new Thread({
    file: moduleBeside(import.meta.url, 'worker'),
    name: `sqlite-${options.mode}`,
    data: options,
    failure: 'sqlite_failed',
  });
}
