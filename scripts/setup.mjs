/**
 * Makes a checkout ready: `node scripts/setup.mjs` before `npm start`, with `--test` before `npm test`. It needs only
 * Node.js 20, prints nothing if there is nothing to do, and explains each failure.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { say, SetupFailure } from './setup/failure.mjs';
import { withLock } from './setup/lock.mjs';
import { chooseNode } from './setup/node.mjs';
import { installPackages, readStamp } from './setup/packages.mjs';
import { stopPrograms } from './setup/run.mjs';
import { installSystemPackages } from './setup/system.mjs';
import { buildWeb, isWebBuilt } from './setup/web.mjs';

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
  const stamp = readStamp(root) ?? (await locked((writer) => readStamp(root) ?? installPackages(root, say, writer)));
  const node = chooseNode(root, stamp.pinnedNode);
  if (!isWebBuilt(root)) await locked(async () => void (isWebBuilt(root) || (await buildWeb(root, node, say))));
  if (process.argv.includes('--test')) await installSystemPackages(say);
}

/**
 * @template T
 * @param {(writer: (pid: number) => void) => Promise<T> | T} work
 * @returns {Promise<T>}
 */
function locked(work) {
  const onWait = () => say('waiting for another setup in this checkout');
  return withLock(join(root, '.setup.lock'), async (writer) => work(writer), { onWait });
}

/** @type {number | undefined} */
let interrupted;
for (const [signal, code] of /** @type {const} */ ([
  ['SIGINT', 130],
  ['SIGTERM', 143],
])) {
  process.once(signal, () => {
    interrupted = code;
    // npm must have exited before the lock is released, which happens when it fails.
    if (stopPrograms() === 0) process.exit(code);
  });
}

try {
  await setup();
} catch (error) {
  if (interrupted !== undefined) process.exit(interrupted);
  if (!(error instanceof SetupFailure)) throw error;
  for (const line of error.message.split('\n')) say(line);
  process.exit(1);
}
