/** `npm run check [NAME...]`: the checks that `npm test` runs before the suites, all of them or those named. */
import { checks, runChecks } from './test/checks.ts';

const names = process.argv.slice(2);
const known = checks.map(({ name }) => name);
const unknown = names.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`unknown check ${unknown.join(', ')}: expected names out of ${known.join(', ')}\n`);
  process.exit(2);
}

const { failed } = await runChecks(checks.filter(({ name }) => names.length === 0 || names.includes(name)));
process.exitCode = failed === 0 ? 0 : 1;
