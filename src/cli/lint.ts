import { Argument, Command, Option } from 'commander';
import { limits, TonnageError } from '../base/index.ts';
import type { Terminal } from './contract.ts';
import { checkInputNames, readInput } from './lint-input.ts';
import { lintReport, reportLine, type LintFormat, type LintReport } from './lint-report.ts';

const formats: readonly LintFormat[] = ['openmetrics', 'text'];

/** `Accept` headers for the stated format, or for both. */
const accepts = {
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  text: 'text/plain; version=0.0.4; charset=utf-8',
  either: 'application/openmetrics-text; version=1.0.0; charset=utf-8, text/plain; version=0.0.4; charset=utf-8; q=0.5',
} as const;

interface LintCommandOptions {
  readonly format?: LintFormat;
  readonly parseOnly?: true;
}

const help = `
Prints one line for each input: NAME: ok, or NAME:LINE:COLUMN: and the problem, followed by further problems. The exit code is
1 if any input has a problem. If OpenMetrics forbids something that its reference parser accepts (a series twice at one time,
a name that begins with an underscore), the command warns on standard error, unless --parse-only is given.
Without --format, the Content-Type of a server decides. A file with a line "# EOF" is OpenMetrics.

Examples:
  $ tonnage lint http://127.0.0.1:2112/metrics
  $ tonnage lint --parse-only metrics.txt metrics.om
  $ my-exporter --once | tonnage lint --format openmetrics -`;

/** `tonnage lint FILE|URL...`. */
export function lintCommand(terminal: Terminal): Command {
  return new Command('lint')
    .description('Check metrics in OpenMetrics 1.0 or Prometheus text, and their names')
    .addArgument(new Argument('<inputs...>', 'files, URLs to scrape, or - for standard input'))
    .option('--parse-only', 'skip the naming rules')
    .addOption(new Option('--format <format>', 'required format').choices(formats))
    .addHelpText('after', help)
    .action(async (names: readonly string[], options: LintCommandOptions) => lintInputs(names, options, terminal));
}

async function lintInputs(names: readonly string[], options: LintCommandOptions, terminal: Terminal): Promise<void> {
  checkInputNames(names);
  let failed = 0;
  for (const name of names) {
    const { problems, warnings } = await reportOf(name, options, terminal);
    if (problems.length > 0) failed++;
    if (warnings.length > 0) terminal.say(`warning: ${reportLine(name, warnings)}`);
    terminal.out(reportLine(name, problems));
  }
  if (failed > 0) throw new TonnageError('exposition_invalid', `${failed} of ${names.length} failed`);
}

/** Reports an unreadable input at line 1, column 1, so that all output lines have the same form. */
async function reportOf(
  name: string,
  { format, parseOnly }: LintCommandOptions,
  { input, workingDirectory }: Terminal,
): Promise<LintReport> {
  try {
    const read = await readInput(name, {
      input,
      workingDirectory,
      accept: accepts[format ?? 'either'],
      bytesMax: limits.lintBytesMax,
      msMax: limits.lintMsMax,
    });
    return lintReport(read, { parseOnly: parseOnly === true, ...(format && { format }) });
  } catch (thrown) {
    if (!(thrown instanceof TonnageError)) throw thrown;
    return { problems: [{ line: 1, column: 1, message: thrown.message }], warnings: [] };
  }
}
