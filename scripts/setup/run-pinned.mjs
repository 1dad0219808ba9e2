import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupFailure } from './failure.mjs';
import { chooseNode } from './node.mjs';
import { readStamp } from './packages.mjs';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/**
 * Starts the pinned Node.js as a child that acts like this process to the parent and the terminal.
 *
 * @param {readonly string[]} args file and arguments
 * @param {object} [options]
 * @param {NodeJS.ProcessEnv} [options.env] variables in addition to those of this process
 * @param {boolean} [options.channel] gives the child an IPC channel, which closes when this process is killed
 * @param {boolean} [options.endsWithParent] stops the child when the parent of this process is gone
 */
export function runPinned(args, { env = {}, channel = false, endsWithParent = false } = {}) {
  const node = pinnedNode();
  // So that `node`, and the links of npm, also mean the pinned Node.js in the child.
  const path = `${dirname(node)}:${join(root, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}`;
  /** @type {import('node:child_process').StdioOptions} */
  const stdio = ['inherit', 'inherit', 'inherit', ...(channel ? [/** @type {const} */ ('ipc')] : [])];
  /** @type {import('node:child_process').ChildProcess | undefined} */
  let child;
  // Before the child starts: a signal in between would end this process and leave the child running.
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'])) {
    process.on(signal, () => child?.kill(signal));
  }
  child = spawn(node, [...args], { stdio, env: { ...process.env, PATH: path, ...env } });
  if (endsWithParent) onParentGone(() => child?.kill('SIGTERM'));
  child.once('error', (error) => fail(`${node} does not start: ${error.message}`));
  let hasHungUp = false;
  process.once('SIGHUP', () => (hasHungUp = true));
  child.once('exit', (code, signal) => {
    // Node.js 20 aborts when it resets a closed terminal, unless its descriptors are closed.
    if (hasHungUp) for (const descriptor of [0, 1, 2]) closeSync(descriptor);
    process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
  });
}

/** How often a process checks that its parent still runs: no signal reports its end. */
const parentPollMs = 250;

/** @param {() => void} act */
function onParentGone(act) {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    act();
  }, parentPollMs);
  timer.unref();
}

function pinnedNode() {
  const stamp = readStamp(root);
  if (stamp === undefined)
    fail('the npm packages are not installed, or older than package-lock.json: run `npm start` or `npm test`');
  try {
    return chooseNode(root, stamp.pinnedNode);
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error;
    fail(error.message);
  }
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  process.stderr.write(`tonnage: ${message}\n`);
  process.exit(1);
}
