import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupFailure } from './failure.mjs';
import { run } from './run.mjs';

const stampName = '.built-from';

/**
 * Whether `web/dist` was built from the current sources in `web/` and the locked packages. Compares content, since the
 * dates of files in a checkout mean nothing.
 *
 * @param {string} root
 */
export function isWebBuilt(root) {
  const stamp = join(root, 'web', 'dist', stampName);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === sourceHash(root);
}

/**
 * Builds the dashboard into `web/dist`. Builds into another folder and renames it, so that a failed build keeps the
 * previous one.
 *
 * @param {string} root
 * @param {string} node the Node.js that runs the project
 * @param {(line: string) => void} say
 * @throws {SetupFailure} with the output of the build
 */
export async function buildWeb(root, node, say) {
  say('building the dashboard');
  const hash = sourceHash(root);
  const [dist, fresh] = [join(root, 'web', 'dist'), join(root, 'web', 'dist.new')];
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const args = ['build', join(root, 'web'), '--outDir', fresh, '--configLoader', 'native', '--logLevel', 'warn'];
  const { status, output } = await run(node, [vite, ...args], { cwd: root, env: { NO_COLOR: '1' } });
  if (status !== '0') {
    rmSync(fresh, { recursive: true, force: true });
    const lines = output.split('\n').filter((line) => line.trim() !== '' && !/^\s+at /.test(line));
    throw new SetupFailure(
      `the dashboard cannot be built (${status})`,
      ...lines.slice(0, 15).map((line) => `  ${line}`),
    );
  }
  writeFileSync(join(fresh, stampName), hash);
  rmSync(dist, { recursive: true, force: true });
  renameSync(fresh, dist);
}

/** @param {string} root */
function sourceHash(root) {
  const hash = createHash('sha256');
  for (const file of ['package-lock.json', ...sources(root, 'web')]) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

/**
 * Paths of all files that a build reads, sorted.
 *
 * @param {string} root
 * @param {string} folder
 * @returns {string[]}
 */
function sources(root, folder) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries
    .filter(({ name }) => !name.startsWith('dist') && !name.endsWith('.test.ts'))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? sources(root, path) : [path];
    })
    .sort();
}
