import { readFileSync } from 'node:fs';
import { systemClock, systemRandom } from '../base/index.ts';
import { exitCodes, type ExitCode, type Terminal } from './contract.ts';
import { runCli } from './program.ts';

/** The terminal was closed: what is written there gets lost, which is no failure. */
let hasHungUp = false;

/** A server has run, and has stopped when its command ends. */
let hasServed = false;

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function packageVersion(): string {
  // Two levels up from the sources and from what is built of them alike.
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
    // `process.exit` waits for threads that are in the middle of a system call or an SQL statement. Another program in this
    // process's place does not.
    process.execve?.(process.execPath, [process.execPath, '--eval', `process.exit(${code})`], {});
    process.exit(code);
  },
  clock: systemClock,
  random: systemRandom,
  version: packageVersion(),
};

// Ledger, images, backups and sockets are for this user alone, whatever makes them.
process.umask(0o077);

let isLost = false;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever reads our output may stop reading (`tonnage usage pulls | head -1`), which is no failure of ours.
  if (error.code === 'EPIPE' || isLost || hasHungUp) return;
  isLost = true;
  process.exitCode = exitCodes.failed;
  terminal.say(`tonnage: the output cannot be written: ${error.message}\n`);
});
// There is nobody left to be told.
process.stderr.on('error', () => undefined);

const code = await runCli(process.argv.slice(2), terminal);
const exitCode = isLost ? exitCodes.failed : code;
process.exitCode = exitCode;
if (hasServed) endServer(exitCode);

/**
 * Ends the process of a server that has stopped: nothing that it may have left open keeps it, and the lock of its data
 * directory is held until the kernel has ended the process.
 */
function endServer(ending: ExitCode): void {
  // A thread whose port is open has not ended: it would hold up `process.exit`.
  if (process.getActiveResourcesInfo().includes('MessagePort')) terminal.end(ending);
  process.exit(ending);
}
