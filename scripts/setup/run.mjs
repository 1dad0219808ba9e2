import { spawn } from 'node:child_process';

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/**
 * Stops the running programs, so that their callers continue. Returns how many there are.
 */
export function stopPrograms() {
  for (const child of running) {
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), 5_000).unref();
  }
  return running.size;
}

/**
 * Runs a program without input, waits for it and keeps what it wrote.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {object} [options]
 * @param {string} [options.cwd]
 * @param {NodeJS.ProcessEnv} [options.env] variables in addition to those of this process
 * @param {(pid: number) => void} [options.onStart] receives the process id
 * @returns {Promise<{ status: string, output: string }>} `status`: the exit code, the signal, or why it did not start
 */
export async function run(command, args, options = {}) {
  const env = { ...process.env, ...options.env };
  const child = spawn(command, args, { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  if (child.pid !== undefined) options.onStart?.(child.pid);
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  /** @type {string} */
  const status = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(String(code ?? signal)));
  });
  running.delete(child);
  return { status, output };
}
