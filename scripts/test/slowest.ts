import { relative } from 'node:path';
import type { Reporter, TestModule } from 'vitest/node';
import { root } from './tools.ts';

const shownMax = 10;

/** How long one test file took, imports and hooks included. */
export interface FileTime {
  readonly file: string;
  readonly seconds: number;
}

/** One line per file for the slowest of them, slowest first: seconds, then the path. */
export function slowestLines(times: readonly FileTime[]): string[] {
  const slowest = times.toSorted((one, other) => other.seconds - one.seconds).slice(0, shownMax);
  return slowest.map(({ file, seconds }) => `${seconds.toFixed(1).padStart(7)} s  ${file}`);
}

/** A reporter for vitest that prints the slowest test files when the run ends. */
export default class SlowestReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = slowestLines(modules.map(timeOf));
    if (lines.length > 1) process.stdout.write(`slowest test files:\n${lines.join('\n')}\n`);
  }
}

function timeOf(module: TestModule): FileTime {
  const { prepareDuration, setupDuration, collectDuration, duration } = module.diagnostic();
  const seconds = (prepareDuration + setupDuration + collectDuration + duration) / 1000;
  return { file: relative(root, module.moduleId), seconds };
}
