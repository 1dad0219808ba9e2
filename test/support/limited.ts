import { writeFileSync, chmodSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './program.ts';

/**
 * A stand-in for Node.js that cannot write files beyond `bytes`, as on a disk that is full; to be lifted by `liftLimit`.
 * Answers its path. What is written before that grows no further than that either.
 */
export function limitedNode(directory: string, bytes: number): string {
  const path = join(directory, 'limited-node');
  writeFileSync(path, `#!/bin/sh\nulimit -S -f ${Math.floor(bytes / 512)}\nexec ${process.execPath} "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

/** There is room on the disk again, for the process with this id. */
export async function liftLimit(pid: number): Promise<void> {
  await runProgram('prlimit', ['--pid', String(pid), '--fsize=unlimited']);
}

/** No file of this process grows beyond `bytes` from now on: a write that would fails as on a disk with errors. */
export async function limitFiles(pid: number, bytes: number): Promise<void> {
  await runProgram('prlimit', ['--pid', String(pid), `--fsize=${bytes}:${bytes}`]);
}

/** Mounts a disk of so many bytes, in memory, over a folder while `use` runs. Needs root, and Linux. */
export async function withSmallDisk(folder: string, bytes: number, use: () => Promise<void>): Promise<void> {
  await runProgram('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder]);
  try {
    await use();
  } finally {
    await runProgram('umount', ['--lazy', folder]);
  }
}
