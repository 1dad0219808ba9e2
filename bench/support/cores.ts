import { chmodSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '../../test/support/program.ts';

/** The core of the measured process, and the core of everything else. */
const measured = 0;
const other = 1;

/**
 * A stand-in for Node.js whose process, with all its threads, has one core to itself (Linux's taskset); the calling process
 * moves to another one. Writes the stand-in to `directory` and returns its path.
 */
export async function nodeOnOneCore(directory: string): Promise<string> {
  if (availableParallelism() < 2) throw new Error('expected two cores, one of them for the client');
  await runProgram('taskset', ['--all-tasks', '--cpu-list', '--pid', String(other), String(process.pid)]);
  const path = join(directory, 'pinned-node');
  writeFileSync(path, `#!/bin/sh\nexec taskset --cpu-list ${measured} ${process.execPath} "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}
