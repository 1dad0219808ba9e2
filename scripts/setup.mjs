/**
 * Makes a checkout ready: `node scripts/setup.mjs` before `npm start`, with `--test` before `npm test`. It uses only what
 * Node.js 20 has built in, says nothing when there is nothing to do, and explains what fails.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { say, SetupFailure } from './setup/failure.mjs';
import { withLock } from './setup/lock.mjs';
import { chooseNode } from './setup/node.mjs';
import { installPackages, readStamp } from './setup/packages.mjs';
import { installSystemPackages } from './setup/system.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

async function setup() {
  if (Number.parseInt(process.versions.node, 10) < 20) {
    throw new SetupFailure(`Node.js ${process.versions.node} is too old`, 'Install Node.js 20 or later and try again.');
  }
  if (!existsSync(join(root, 'package-lock.json'))) {
    throw new SetupFailure(
      `${root} has no package-lock.json`,
      'Setup runs in a checkout, not in an installed package.',
    );
  }
  const stamp = readStamp(root) ?? (await locked(() => readStamp(root) ?? installPackages(root, say)));
  chooseNode(root, stamp.pinnedNode);
  if (process.argv.includes('--test')) await installSystemPackages(say);
}

/**
 * @template T
 * @param {() => Promise<T> | T} work
 * @returns {Promise<T>}
 */
function locked(work) {
  const onWait = () => say('waiting for another setup in this checkout');
  return withLock(join(root, '.setup.lock'), async () => work(), { onWait });
}

// The handlers of `exit` stop npm and take the lock file away, which an unhandled signal would not do.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

try {
  await setup();
} catch (error) {
  if (!(error instanceof SetupFailure)) throw error;
  for (const line of error.message.split('\n')) say(line);
  process.exit(1);
}
