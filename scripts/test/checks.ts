import { availableParallelism } from 'node:os';
import { addTallies, type Tally } from './tally.ts';
import { runTool, tools } from './tools.ts';

/** One check of the whole checkout: a tool and its arguments. */
interface Check {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  /** How to fix the usual finding, printed below the tool's output. */
  readonly remedy?: string;
}

/** What `npm test` checks before the suites, the slowest first. `CONTRIBUTING.md` describes them. */
export const checks: readonly Check[] = [
  {
    name: 'formatting',
    file: tools.prettier,
    args: ['--check', '--cache', '--cache-strategy=content', '--log-level=warn', '.'],
    remedy: 'npx prettier --write FILE...',
  },
  { name: 'types', file: tools.tsc, args: ['-p', '.'] },
  { name: 'web types', file: tools.tsc, args: ['-p', 'web'] },
  { name: 'lint', file: tools.oxlint, args: ['--format=unix'] },
  { name: 'layers', file: 'scripts/layers.ts', args: [], remedy: 'the rules are in .dependency-cruiser.mjs' },
  {
    name: 'exports',
    file: tools.knip,
    args: ['--no-progress'],
    remedy: 'remove the unused code, or only its `export`',
  },
  { name: 'tidy', file: 'scripts/tidy.ts', args: [] },
  { name: 'docs', file: 'scripts/docs.ts', args: ['--check'], remedy: 'npm run docs' },
];

/** Runs checks, as many at a time as there are cores. Prints one line per check, and its output if it fails. */
export async function runChecks(chosen: readonly Check[]): Promise<Tally> {
  const waiting = [...chosen];
  const tallies: Tally[] = [];
  const work = async (): Promise<void> => {
    for (let check = waiting.shift(); check; check = waiting.shift()) tallies.push(await runCheck(check));
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return addTallies(tallies);
}

async function runCheck({ name, file, args, remedy }: Check): Promise<Tally> {
  const start = performance.now();
  const { code, output } = await runTool(file, args);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stdout.write(`${name.padEnd(12)} ${code === 0 ? 'ok' : 'FAILED'} ${seconds} s\n`);
  if (code !== 0) process.stdout.write(`${output.trimEnd()}\n${remedy === undefined ? '' : `(${remedy})\n`}`);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}
