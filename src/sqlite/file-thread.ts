import { moduleBeside, Thread, type Functions } from '../thread/index.ts';
import type { ProgramModule } from './contract.ts';
import type { FileOptions, WorkerFunctions } from './protocol.ts';

/** A thread that has one file open. `F`: the functions of its program. */
export type FileThread<F extends Functions> = Thread<WorkerFunctions & F>;

export function createFileThread<F extends Functions>(
  options: FileOptions,
  program: ProgramModule | undefined,
): FileThread<F> {
  return new Thread({
    file: program?.module ?? moduleBeside(import.meta.url, 'worker'),
    name: `sqlite-${options.mode}`,
    data: { ...options, program: program?.options },
    failure: 'sqlite_failed',
  });
}
