import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupFailure } from './failure.mjs';
import { pinnedNodePath, pinnedNodeRuns, platform } from './node.mjs';
import { npm } from './npm.mjs';

/**
 * @typedef {object} LockedPackage one entry of package-lock.json
 * @property {string} [version]
 * @property {string} [integrity]
 * @property {boolean} [optional]
 * @property {string | string[]} [os]
 * @property {string | string[]} [cpu]
 * @property {string | string[]} [libc]
 */

/**
 * The file that setup writes to node_modules after it has installed. `npm ci` removes it with everything else, so an
 * interrupted installation has none.
 *
 * @typedef {object} Stamp
 * @property {string} packages hash of package-lock.json
 * @property {string} platform such as `linux-x64`, since the packages hold machine code
 * @property {boolean} pinnedNode whether the pinned Node.js runs here
 */

const stampName = join('node_modules', '.tonnage-setup.json');

/**
 * The stamp, if it matches the current lockfile and the files that it vouches for exist.
 *
 * @param {string} root
 * @returns {Stamp | undefined}
 */
export function readStamp(root) {
  try {
    /** @type {Stamp} */
    const stamp = JSON.parse(readFileSync(join(root, stampName), 'utf8'));
    if (stamp.packages !== lockfileHash(root) || stamp.platform !== platform) return undefined;
    const pinned = pinnedNodePath(root);
    if (stamp.pinnedNode && (pinned === undefined || !existsSync(pinned))) return undefined;
    return stamp;
  } catch {
    return undefined; // absent or truncated: either way, check the packages
  }
}

/**
 * Installs what package-lock.json lists; does nothing if node_modules already matches it.
 *
 * @param {string} root
 * @param {(line: string) => void} say
 * @param {(pid: number) => void} [onStart] receives the process id of each npm that writes there
 * @returns {Promise<Stamp>}
 */
export async function installPackages(root, say, onStart) {
  if (!isInstalled(root)) {
    say('installing npm packages, which takes a minute the first time');
    await npm(root, ['ci', ...npmOptions], { ...(onStart && { onStart }) });
    if (missingForPlatform(root).length > 0) await installByPinnedNode(root, onStart);
  }
  const missing = missingForPlatform(root);
  const stamp = { packages: lockfileHash(root), platform, pinnedNode: pinnedNodeRuns(root) };
  if (missing.length > 0 && !(missing.length === 1 && isPinnedNode(root, missing[0]))) {
    throw new SetupFailure(
      `npm left out packages that ${platform} needs: ${missing.join(', ')}`,
      'npm skips an optional package without a word when its download fails. Check the network and the disk, then run',
      'the same command again.',
    );
  }
  // npm puts that folder first in PATH, so a link to a Node.js that does not start would break every npm script.
  if (!stamp.pinnedNode) rmSync(join(root, 'node_modules', '.bin', 'node'), { force: true });
  writeFileSync(join(root, stampName), `${JSON.stringify(stamp)}\n`);
  return stamp;
}

/** No install scripts (none is needed), also when the environment asks for production packages only: tests need all. */
const npmOptions = [
  '--ignore-scripts',
  '--include=dev',
  '--include=optional',
  '--no-audit',
  '--no-fund',
  '--no-progress',
];

/**
 * npm skips optional packages whose `engines` the running Node.js does not meet, and those that carry machine code are
 * optional. The pinned Node.js meets them all, so npm installs once more with it.
 *
 * @param {string} root
 * @param {(pid: number) => void} [onStart]
 */
async function installByPinnedNode(root, onStart) {
  const pinned = pinnedNodePath(root);
  if (pinned === undefined || !pinnedNodeRuns(root)) return;
  await npm(root, ['ci', ...npmOptions], { node: pinned, ...(onStart && { onStart }) });
}

/**
 * Whether node_modules matches package-lock.json, judging by the list that npm keeps inside it. npm writes that list last,
 * so an interrupted installation has none, and `npm install` of another package updates it.
 *
 * @param {string} root
 */
function isInstalled(root) {
  const have = lockedPackages(join(root, 'node_modules', '.package-lock.json'));
  if (have === undefined || missingForPlatform(root).length > 0) return false;
  const wanted = lockedPackages(join(root, 'package-lock.json')) ?? {};
  return Object.entries(wanted).every(([path, entry]) => {
    const installed = have[path];
    if (path === '' || (entry.optional === true && installed === undefined)) return true;
    return installed?.version === entry.version && installed?.integrity === entry.integrity;
  });
}

/**
 * Optional packages for this platform that are missing.
 *
 * @param {string} root
 * @returns {string[]}
 */
function missingForPlatform(root) {
  const wanted = lockedPackages(join(root, 'package-lock.json')) ?? {};
  return Object.entries(wanted)
    .filter(([, entry]) => entry.optional === true && isForPlatform(entry))
    .filter(([path]) => !existsSync(join(root, path, 'package.json')))
    .map(([path]) => path.replace(/^.*node_modules\//, ''));
}

/** @param {LockedPackage} entry */
function isForPlatform({ os, cpu, libc }) {
  if (os === undefined || cpu === undefined) return false;
  return names(os, process.platform) && names(cpu, process.arch) && (libc === undefined || names(libc, libcFamily()));
}

/**
 * @param {string | string[]} list as in the `os` and `cpu` members of a package
 * @param {string} value
 */
function names(list, value) {
  return [list].flat().includes(value);
}

function libcFamily() {
  const report = process.report.getReport();
  const header = typeof report === 'object' && 'header' in report ? report.header : undefined;
  return typeof header === 'object' && header !== null && 'glibcVersionRuntime' in header ? 'glibc' : 'musl';
}

/**
 * @param {string} root
 * @param {string | undefined} name
 */
function isPinnedNode(root, name) {
  return name !== undefined && pinnedNodePath(root)?.includes(join('node_modules', name, 'bin')) === true;
}

/**
 * @param {string} file
 * @returns {Record<string, LockedPackage> | undefined} undefined when there is no such file
 */
function lockedPackages(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : undefined;
}

/** @param {string} root */
function lockfileHash(root) {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}
