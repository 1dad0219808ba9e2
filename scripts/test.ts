/**
 * `npm test`, `npm run test:long` (`--long`) and `npm run test:related` (`--related`). Every step runs, even if an earlier
 * one failed. The last line is `N passed, N failed`, in which a check counts as one test.
 */
import { parseArgs } from 'node:util';
import { checks, runChecks } from './test/checks.ts';
import { changedFiles, relatedFolders } from './test/related.ts';
import { runSuites } from './test/suites.ts';
import { addTallies, lastLine, type Tally } from './test/tally.ts';

const help = `npm test                           all checks, then all test files
npm run test:long                  the long test files, and the scalable ones with their full counts
npm run test:related [-- COMMIT]   test files that import a file that differs from COMMIT (default: HEAD), and
                                   test/e2e, test/setup or test/rules if a file changed that these run as a process
One folder: npx vitest run src/FOLDER
`;

const { values, positionals } = readArguments();
if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}

// `exit` ends the tool that runs, too.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

const total = addTallies(await run());
process.stdout.write(`\n${lastLine(total)}\n`);
process.exitCode = total.failed === 0 ? 0 : 1;

async function run(): Promise<readonly Tally[]> {
  if (values.related) return runRelated(positionals[0] ?? 'HEAD');
  if (values.long) return [await runSuites({ long: true })];
  return [await runChecks(checks), await runSuites({ long: false })];
}

async function runRelated(since: string): Promise<readonly Tally[]> {
  const files = changedFiles(since);
  const folders = relatedFolders(files);
  const tallies = [await runSuites({ long: false, importers: files })];
  if (folders.length > 0) tallies.push(await runSuites({ long: false, folders }));
  return tallies;
}

function readArguments() {
  try {
    const options = { long: { type: 'boolean' }, related: { type: 'boolean' }, help: { type: 'boolean' } } as const;
    const parsed = parseArgs({ options, allowPositionals: true });
    if (parsed.positionals.length > (parsed.values.related ? 1 : 0)) throw new Error('too many arguments');
    return parsed;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${help}`);
    process.exit(2);
  }
}
