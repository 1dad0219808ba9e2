/** `npm run check NAME...`: some of the checks of `npm test`, by their names. */
import { checks, runCheck } from './test/checks.ts';

const asked = process.argv.slice(2);
const known = checks.map(({ name }) => name);
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0 || asked.length === 0) {
  process.stderr.write(`expected names out of ${known.join(', ')}, got ${unknown.join(', ') || 'none'}\n`);
  process.exit(2);
}

let failed = 0;
for (const check of checks.filter(({ name }) => asked.includes(name))) failed += (await runCheck(check)).failed;
process.exitCode = failed === 0 ? 0 : 1;
