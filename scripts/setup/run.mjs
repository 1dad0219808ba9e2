import { spawn } from 'node:child_process';

/**
 * Runs a program without input, waits for it and keeps what it wrote. The program ends when this process does.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ readonly cwd?: string, readonly env?: NodeJS.ProcessEnv }} [options] `env`: beside this process's variables
 * @returns {Promise<{ status: string, output: string }>} `status`: the exit code, the signal, or why it did not start
 */
export async function run(command, args, options = {}) {
  const env = { ...process.env, ...options.env };
  const child = spawn(command, args, { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const stop = () => child.kill('SIGTERM');
  process.once('exit', stop);
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  /** @type {string} */
  const status = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(String(code ?? signal)));
  });
  process.off('exit', stop);
  return { status, output };
}
