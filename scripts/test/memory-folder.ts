import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

/** Linux's file system in memory. */
const memory = '/dev/shm';
const freeBytesMin = 4 * 1024 ** 3;
const prefix = 'tonnage-';

/**
 * Lets this process and its children keep temporary files in memory, in a folder that is removed when this process exits.
 * Without it, most tests wait for the disk to sync their ledgers. Does nothing if `TMPDIR` is set or if there is too little
 * room.
 */
export function useMemoryFolder(): void {
  if (process.env['TMPDIR'] !== undefined || !hasRoom()) return;
  for (const name of readdirSync(memory)) if (isLeftOver(name)) remove(name);
  const own = `${prefix}${process.pid}`;
  mkdirSync(join(memory, own), { recursive: true });
  process.once('exit', () => remove(own));
  process.env['TMPDIR'] = join(memory, own);
}

function hasRoom(): boolean {
  if (!existsSync(memory)) return false;
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize >= freeBytesMin;
}

/** Whether a folder belongs to a run that was killed. */
function isLeftOver(name: string): boolean {
  const [, pid] = /^tonnage-(\d+)$/.exec(name) ?? [];
  return pid !== undefined && !existsSync(`/proc/${pid}`);
}

function remove(name: string): void {
  rmSync(join(memory, name), { recursive: true, force: true });
}
