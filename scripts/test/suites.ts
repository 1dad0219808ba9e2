import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { skippedTests, tallyOf, type Tally, type VitestReport } from './tally.ts';
import { runTool, tools } from './tools.ts';

const slowestReporter = join(import.meta.dirname, 'slowest.ts');

/** Which test files run: all (of the short or the long run), those of some folders, or those that import some files. */
export type Selection = { readonly folders?: readonly string[] } | { readonly importers: readonly string[] };

/**
 * Runs test files with vitest, shows its report and the slowest files, and counts the tests from its JSON report.
 *
 * @param options `long`: the long suites with their full counts, instead of all others with short ones
 */
export async function runSuites(options: { readonly long: boolean } & Selection): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'tonnage-test-'));
  try {
    const file = join(folder, 'report.json');
    const redisServer = process.env['TONNAGE_TEST_REDIS_SERVER'];
    const env = {
      ...(options.long && { TONNAGE_TEST_LONG: '1' }),
      ...(redisServer !== undefined && { TONNAGE_TEST_REDIS_SERVER: redisServer }),
    };
    const chosen =
      'importers' in options ? ['related', '--run', ...options.importers] : ['run', ...(options.folders ?? [])];
    const reporters = ['--reporter=default', '--reporter=json', `--reporter=${slowestReporter}`];
    const { code } = await runTool(
      tools.vitest,
      [...chosen, '--configLoader=native', ...reporters, `--outputFile.json=${file}`],
      { show: true, env, done: () => existsSync(file) },
    );
    const report = existsSync(file) ? readReport(file) : undefined;
    for (const name of report === undefined ? [] : skippedTests(report)) process.stdout.write(`left out: ${name}\n`);
    return tallyOf(report, code);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readReport(file: string): VitestReport {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the installed vitest's own format
  return JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
}
