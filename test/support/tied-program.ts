import type { ChildProcess } from 'node:child_process';
import { startProgram, type Program } from './program.ts';

export interface TiedOptions {
  /** Ends the program with the tests. Default: SIGKILL. */
  readonly endsBy?: NodeJS.Signals;
  /** The user that runs it, on Linux. Default: the user of the tests. */
  readonly user?: string | undefined;
  readonly env?: NodeJS.ProcessEnv;
}

/** Programs to end when the process of the tests exits. */
const running = new Map<ChildProcess, NodeJS.Signals>();
process.once('exit', () => {
  for (const [child, signal] of running) child.kill(signal);
});

/**
 * Starts a program that ends when the process of the tests ends. On Linux the kernel ends it even if that process is killed.
 * Elsewhere the exit handler ends it.
 */
export function startTied(command: string, args: readonly string[], options: TiedOptions = {}): Program {
  const { endsBy = 'SIGKILL', user, env } = options;
  const program =
    process.platform === 'linux'
      ? startProgram(...commandAs(user, 'setpriv', ['--pdeathsig', endsBy.replace('SIG', ''), command, ...args]), env)
      : startProgram(command, args, env);
  running.set(program.child, endsBy);
  program.child.once('close', () => running.delete(program.child));
  return program;
}

/** The command line that runs a program as another user, which root may do on Linux. */
export function commandAs(
  user: string | undefined,
  command: string,
  args: readonly string[],
): readonly [command: string, args: readonly string[]] {
  if (user === undefined) return [command, args];
  return ['setpriv', [`--reuid=${user}`, `--regid=${user}`, '--clear-groups', command, ...args]];
}
