/**
 * Preloaded into a process (`node --import`), measures how long its event loop is held: how late a timer of a millisecond
 * is. SIGUSR2 makes it print the longest delay since the last signal, as `stall: 1.2 ms`, and begin again.
 */
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  let longest = 0;
  let due = performance.now() + 1;
  setInterval(() => {
    const now = performance.now();
    longest = Math.max(longest, now - due);
    due = now + 1;
  }, 1).unref();
  process.on('SIGUSR2', () => {
    process.stderr.write(`stall: ${longest.toFixed(2)} ms\n`);
    longest = 0;
  });
}
