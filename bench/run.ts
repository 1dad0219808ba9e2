/** `npm run bench [name...]`: runs benchmarks, each in a process of its own, or lists them when a name is unknown. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { machineLine } from './support/machine.ts';

const directory = fileURLToPath(new URL('.', import.meta.url));
const known = readdirSync(directory)
  .filter((file) => file.endsWith('.ts') && file !== 'run.ts')
  .map((file) => basename(file, '.ts'))
  .toSorted();

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`expected names out of ${known.join(', ')}, got ${unknown.join(', ')}\n`);
  process.exit(2);
}

let failed = false;
for (const name of asked.length > 0 ? asked : known) {
  process.stdout.write(`\n${name}: ${machineLine()}\n`);
  const { status } = spawnSync(process.execPath, ['--expose-gc', `${directory}${name}.ts`], { stdio: 'inherit' });
  if (status !== 0) {
    failed = true;
    process.stderr.write(`${name} failed with exit code ${status}\n`);
  }
}
process.exit(failed ? 1 : 0);
