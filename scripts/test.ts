/**
 * `npm test` and, with `--long`, `npm run test:long`. Runs every step whatever the ones before it found, and ends with the
 * line `N passed, N failed`, in which a check counts as one test.
 */
import { checks, runCheck } from './test/checks.ts';
import { runSuites } from './test/suites.ts';
import { addTallies, lastLine, type Tally } from './test/tally.ts';

const long = process.argv.includes('--long');
const unknown = process.argv.slice(2).filter((argument) => argument !== '--long');
if (unknown.length > 0) {
  process.stderr.write(
    `npm test takes no arguments, not ${unknown.join(' ')}; for one folder: npx vitest run src/FOLDER\n`,
  );
  process.exit(2);
}

// Ending by `exit` ends the tool that runs, too.
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

const tallies: Tally[] = [];
for (const check of long ? [] : checks) tallies.push(await runCheck(check));
tallies.push(await runSuites({ long }));

const total = addTallies(tallies);
process.stdout.write(`\n${lastLine(total)}\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
