import { readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupFailure } from './failure.mjs';

/**
 * How long an untouched lock counts as held. Its holder touches it every second, so a killed holder is noticed after this
 * time. Process ids are not enough, since two containers can share a checkout.
 */
const staleMs = 10_000;
const touchMs = 1_000;
const waitMsMax = 20 * 60_000;

/**
 * A killed setup can leave its npm running, which keeps writing. So the lock names that process, and counts as held while
 * it lives. This has a limit, since after a reboot the id can belong to any process.
 */
const orphanMsMax = 3 * 60_000;

/**
 * Runs `work` while holding the lock `file`, so that two setups never write `node_modules` at once. Waits for another
 * holder, and takes over the lock of a killed one.
 *
 * @template T
 * @param {string} file
 * @param {(writer: (pid: number) => void) => Promise<T>} work receives a function that stores the id of the writing process
 * @param {{ readonly staleMs?: number, readonly onWait?: () => void }} [options]
 * @returns {Promise<T>}
 */
export async function withLock(file, work, options = {}) {
  await acquire(file, options.staleMs ?? staleMs, options.onWait ?? (() => {}));
  const touching = setInterval(() => touch(file), touchMs);
  const release = () => rmSync(file, { force: true });
  process.once('exit', release);
  try {
    return await work((pid) => writeFileSync(file, `${pid}\n`));
  } finally {
    clearInterval(touching);
    process.off('exit', release);
    release();
  }
}

/**
 * @param {string} file
 * @param {number} stale
 * @param {() => void} onWait called once, if another setup holds the lock
 */
async function acquire(file, stale, onWait) {
  for (let waited = 0; !create(file); waited += 200) {
    if (waited === 0) onWait();
    if (waited > waitMsMax) {
      throw new SetupFailure(
        `another setup has held ${file} for ${waitMsMax / 60_000} minutes`,
        'When none is running, remove that file and try again.',
      );
    }
    if (isAbandoned(file, stale)) takeAway(file, stale);
    await sleep(200);
  }
}

/**
 * Removes a stale lock. A second lock file makes sure that only one of several waiters does so: otherwise the slower one
 * would remove the lock that the faster one has just taken.
 *
 * @param {string} file
 * @param {number} stale
 */
function takeAway(file, stale) {
  const guard = `${file}.guard`;
  if (!create(guard)) {
    if (age(guard) > stale) rmSync(guard, { force: true });
    return;
  }
  try {
    if (isAbandoned(file, stale)) rmSync(file, { force: true });
  } finally {
    rmSync(guard, { force: true });
  }
}

/**
 * @param {string} file
 * @param {number} stale
 */
function isAbandoned(file, stale) {
  const idle = age(file);
  return idle > stale && (idle > orphanMsMax || !isAlive(writerOf(file)));
}

/**
 * The process that the lock names; undefined if the lock is gone or being written.
 *
 * @param {string} file
 */
function writerOf(file) {
  try {
    return Number.parseInt(readFileSync(file, 'utf8'), 10);
  } catch {
    return undefined;
  }
}

/** @param {number | undefined} pid */
function isAlive(pid) {
  if (pid === undefined || Number.isNaN(pid)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * Creates the file unless it exists. The file system makes this atomic.
 *
 * @param {string} file
 */
function create(file) {
  try {
    writeFileSync(file, `${process.pid}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Milliseconds since the file was touched; 0 if it is gone.
 *
 * @param {string} file
 */
function age(file) {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined ? 0 : Date.now() - found.mtimeMs;
}

/** @param {string} file */
function touch(file) {
  try {
    utimesSync(file, new Date(), new Date());
  } catch {
    // The lock was removed by hand: there is nothing to touch.
  }
}
