import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const policyFile = '/usr/sbin/policy-rc.d';
const mark = '# Written by the setup of Tonnage and removed by it; process';

/**
 * Runs `work`, an apt installation, without the services that Debian's packages start on install: while it runs a
 * policy-rc.d answers 101, "not allowed". An existing file is the administrator's and stays, except one
 * that a killed setup left.
 *
 * @template T
 * @param {() => Promise<T>} work
 * @param {string} [file] the policy file; another one in tests
 * @returns {Promise<T>}
 */
export async function withoutServices(work, file = policyFile) {
  while (belongsToLiveSetup(file)) await sleep(500);
  if (writerOf(file) !== undefined) rmSync(file, { force: true });
  const written = !existsSync(file) && write(file);
  const remove = () => {
    if (written && writerOf(file) === process.pid) rmSync(file, { force: true });
  };
  process.once('exit', remove);
  try {
    return await work();
  } finally {
    process.off('exit', remove);
    remove();
  }
}

/** @param {string} file */
function write(file) {
  writeFileSync(file, `#!/bin/sh\n${mark} ${process.pid}.\nexit 101\n`, { mode: 0o755, flag: 'wx' });
  return true;
}

/**
 * The process that wrote the policy file, if that was a setup of ours.
 *
 * @param {string} file
 */
function writerOf(file) {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'utf8');
  const start = text.indexOf(mark);
  return start < 0 ? undefined : Number.parseInt(text.slice(start + mark.length), 10);
}

/** @param {string} file */
function belongsToLiveSetup(file) {
  const writer = writerOf(file);
  if (writer === undefined || writer === process.pid) return false;
  try {
    process.kill(writer, 0);
    return true;
  } catch {
    return false; // it was killed, so only this setup can remove its file
  }
}
