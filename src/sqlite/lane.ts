import { moduleBeside, Thread } from '../thread/index.ts';
import type { WorkerFunctions, WorkerOptions } from './protocol.ts';

/** The thread that has one file open. */
export type Lane = Thread<WorkerFunctions>;

export function createLane(options: WorkerOptions): Lane {
  return new Thread({
    file: moduleBeside(import.meta.url, 'worker'),
    name: `sqlite-${options.mode}`,
    data: options,
    failure: 'sqlite_failed',
  });
}
