import { PassThrough } from 'node:stream';
import { systemClock, systemRandom } from '../../base/index.ts';
import type { ExitCode, Terminal } from '../contract.ts';
import { runCli } from '../program.ts';

export interface CliResult {
  readonly code: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly environment?: Terminal['environment'];
  readonly workingDirectory?: string;
  /** What stands on standard input. */
  readonly input?: string | Buffer;
}

/** Runs a command in this process, with all that it writes kept. */
export async function run(argv: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const { environment = {}, workingDirectory = process.cwd(), input = '' } = options;
  let stdout = '';
  let stderr = '';
  const stdin = new PassThrough();
  stdin.end(input);
  const code = await runCli(argv, {
    environment,
    workingDirectory,
    input: stdin,
    out: (text) => void (stdout += text),
    say: (text) => void (stderr += text),
    onSignals: () => () => {},
    end: () => {},
    clock: systemClock,
    random: systemRandom,
    version: '1.2.3',
  });
  return { code, stdout, stderr };
}
