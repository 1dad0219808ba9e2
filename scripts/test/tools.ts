import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

/** Root of the checkout. */
export const root = join(import.meta.dirname, '..', '..');

const modules = join(root, 'node_modules');

/** The entry files of the tools that the checks run, each started with this same Node.js. */
export const tools = {
  tsc: join(modules, 'typescript', 'bin', 'tsc'),
  prettier: join(modules, 'prettier', 'bin', 'prettier.cjs'),
  knip: join(modules, 'knip', 'bin', 'knip.js'),
  oxlint: join(modules, 'oxlint', 'bin', 'oxlint'),
  depcruise: join(modules, 'dependency-cruiser', 'bin', 'dependency-cruiser.mjs'),
  vitest: join(modules, 'vitest', 'vitest.mjs'),
} as const;

export interface ToolResult {
  /** Exit code; 1 if a signal ended the tool. */
  readonly code: number;
  /** Standard output and error in the order of writing; empty with `show`. */
  readonly output: string;
}

export interface ToolOptions {
  /** Where the tool runs. Default: the root of the checkout. */
  readonly cwd?: string;
  /** Variables in addition to those of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Shows the output as it comes instead of keeping it. */
  readonly show?: boolean;
  /** Returns whether the tool has done its work. A tool that does not exit within `graceMs` after that is killed. */
  readonly done?: () => boolean;
  /** Default: 20 s. */
  readonly graceMs?: number;
}

/** Runs a JavaScript or TypeScript file with this Node.js and waits for it. A tool that does not start has failed. */
export function runTool(file: string, args: readonly string[], options: ToolOptions = {}): Promise<ToolResult> {
  const child = spawn(process.execPath, [file, ...args], {
    cwd: options.cwd ?? root,
    env: { ...withoutSettings(process.env), ...options.env },
    stdio: options.show === true ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
  });
  const stop = () => child.kill('SIGTERM');
  process.once('exit', stop);
  const watch = options.done && killAfterGrace(child, options.done, options.graceMs ?? 20_000);
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<ToolResult>((resolve) => {
    child.once('error', (error) => resolve({ code: 1, output: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
  return ended.finally(() => {
    process.off('exit', stop);
    clearInterval(watch);
  });
}

/** A process that a test left running keeps the tool's output open, so that the tool would never exit. */
function killAfterGrace(child: ChildProcess, done: () => boolean, graceMs: number): NodeJS.Timeout {
  let doneSince: number | undefined;
  return setInterval(() => {
    if (!done()) return;
    doneSince ??= performance.now();
    if (performance.now() - doneSince < graceMs) return;
    process.stdout.write(`done ${graceMs / 1000} s ago and still running: killed\n`);
    child.kill('SIGKILL');
  }, 500);
}

/** The environment without settings of Tonnage, so that a developer's own settings do not change the tests. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('TONNAGE_')));
}
