import type { Tally } from './tally.ts';
import { runTool, tools } from './tools.ts';

/** One check of the whole checkout: a tool, and what it is given. */
interface Check {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  /** What mends the usual finding, shown below the tool's own words. */
  readonly remedy?: string;
}

/** What `npm test` checks before the suites, in this order. `CONTRIBUTING.md` describes them. */
export const checks: readonly Check[] = [
  { name: 'types', file: tools.tsc, args: ['-p', '.'] },
  { name: 'web types', file: tools.tsc, args: ['-p', 'web'] },
  {
    name: 'formatting',
    file: tools.prettier,
    args: ['--check', '--log-level=warn', '.'],
    remedy: 'npx prettier --write FILE...',
  },
  { name: 'lint', file: tools.oxlint, args: ['--format=unix'] },
  { name: 'layers', file: 'scripts/layers.ts', args: [], remedy: 'the rules stand in .dependency-cruiser.mjs' },
  { name: 'tidy', file: 'scripts/tidy.ts', args: [] },
  { name: 'docs', file: 'scripts/docs.ts', args: ['--check'], remedy: 'npm run docs' },
];

/** Runs one check, prints one line about it, and what it found when it failed. */
export async function runCheck({ name, file, args, remedy }: Check): Promise<Tally> {
  const start = performance.now();
  const { code, output } = await runTool(file, args);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stdout.write(`${name.padEnd(12)} ${code === 0 ? 'ok' : 'FAILED'} ${seconds} s\n`);
  if (code !== 0) process.stdout.write(`${output.trimEnd()}\n${remedy === undefined ? '' : `(${remedy})\n`}`);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}
