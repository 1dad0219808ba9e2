/**
 * Runs a file with the Node.js that the project pins: `node scripts/pinned.mjs FILE [ARGUMENT...]`. Passes signals on and
 * exits as that process does.
 */
import { runPinned } from './setup/run-pinned.mjs';

runPinned(process.argv.slice(2));
