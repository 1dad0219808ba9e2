import { writeFileSync, chmodSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './program.ts';

/**
 * A stand-in for Node.js whose files cannot grow beyond `bytes`, as on a full disk, until `liftLimit`. Returns its path.
 */
export function limitedNode(directory: string, bytes: number): string {
  const path = join(directory, 'limited-node');
  writeFileSync(path, `#!/bin/sh\nulimit -S -f ${Math.floor(bytes / 512)}\nexec ${process.execPath} "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Lets the process with this id write files of any size again. */
export async function liftLimit(pid: number): Promise<void> {
  await runProgram('prlimit', ['--pid', String(pid), '--fsize=unlimited']);
}

/** From now on, a write of this process that would grow a file beyond `bytes` fails, as on a disk with errors. */
export async function limitFiles(pid: number, bytes: number): Promise<void> {
  await runProgram('prlimit', ['--pid', String(pid), `--fsize=${bytes}:${bytes}`]);
}

/** Mounts a disk of `bytes` bytes, in memory, over a folder while `use` runs. Needs root and Linux. */
export async function withSmallDisk(folder: string, bytes: number, use: () => Promise<void>): Promise<void> {
  await runProgram('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder]);
  try {
    await use();
  } finally {
    await runProgram('umount', ['--lazy', folder]);
  }
}
