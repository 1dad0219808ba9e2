/**
 * `npm start`: the server with defaults for a first look, on loopback addresses and with its data in this checkout.
 * `TONNAGE_START` turns these defaults on; file, environment and flags (`npm start -- --port 9000`) override them.
 */
import { join } from 'node:path';
import { root, runPinned } from './setup/run-pinned.mjs';

// With `TONNAGE_STARTED_AGAIN` the server ends when its channel to this process does: it never outlives a killed `npm start`.
const env = { TONNAGE_START: '1', TONNAGE_STARTED_AGAIN: '1' };
// npm passes SIGINT and SIGTERM on, but exits on SIGHUP without passing it on.
const endsWithParent = process.env['npm_lifecycle_event'] === 'start';
runPinned([join(root, 'bin', 'tonnage.js'), 'serve', ...process.argv.slice(2)], { env, channel: true, endsWithParent });
