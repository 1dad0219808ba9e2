import { readFileSync } from 'node:fs';
import { systemClock, systemRandom } from '../base/index.ts';
import { exitCodes, type ExitCode, type Terminal } from './contract.ts';
import { runCli } from './program.ts';

/** The terminal was closed, so lost output is not a failure. */
let hasHungUp = false;

/** The command was `serve`. */
let hasServed = false;

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function packageVersion(): string {
  // Two levels up from both the sources and the compiled files.
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const named = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return named && typeof manifest.version === 'string' ? manifest.version : 'unknown';
}

const terminal: Terminal = {
  environment: process.env,
  workingDirectory: process.cwd(),
  input: process.stdin,
  out: (text) => void process.stdout.write(text),
  say: (text) => void process.stderr.write(text),
  interactive: process.stderr.isTTY,
  onSignals(onSignal) {
    hasServed = true;
    const listener = (signal: NodeJS.Signals): void => {
      hasHungUp ||= signal === 'SIGHUP';
      onSignal(signal);
    };
    for (const signal of signals) process.on(signal, listener);
    return () => {
      for (const signal of signals) process.off(signal, listener);
    };
  },
  end(code) {
    // `process.exit` waits for threads in a system call or SQL statement. Replacing the process does not.
    process.execve?.(process.execPath, [process.execPath, '--eval', `process.exit(${code})`], {});
    process.exit(code);
  },
  clock: systemClock,
  random: systemRandom,
  version: packageVersion(),
};

// Only this user may access the ledger, images, backups and sockets.
process.umask(0o077);

let isLost = false;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // The reader of the output may close it (`tonnage usage pulls | head -1`). That is not a failure.
  if (error.code === 'EPIPE' || isLost || hasHungUp) return;
  isLost = true;
  process.exitCode = exitCodes.failed;
  terminal.say(`tonnage: writing the output failed: ${error.message}\n`);
});
// There is nowhere to report this.
process.stderr.on('error', () => undefined);

const code = await runCli(process.argv.slice(2), terminal);
const exitCode = isLost ? exitCodes.failed : code;
process.exitCode = exitCode;
if (hasServed) endServer(exitCode);

/** Ends the process after the server has stopped, even if something is open. The kernel frees the directory's lock. */
function endServer(ending: ExitCode): void {
  // An open port belongs to a running thread, which would delay `process.exit`.
  if (process.getActiveResourcesInfo().includes('MessagePort')) terminal.end(ending);
  process.exit(ending);
}
