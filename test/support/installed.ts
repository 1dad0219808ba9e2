import { spawnSync } from 'node:child_process';
import { findAll } from '../../scripts/setup/system.mjs';

/**
 * Path of a program that a test runs. Throws if there is none: `npm test` installs the programs, and no test is skipped
 * because one is missing.
 */
export function program(name: string): string {
  const [first] = findAll(name);
  if (first === undefined) throw new Error(`${name} is not installed; \`npm test\` says how to install it`);
  return first;
}

/** Path of a Python that has the module. It need not be the first in PATH: a version manager's comes before the system's. */
export function pythonWith(module: string): string {
  const found = findAll('python3').find((path) => spawnSync(path, ['-c', `import ${module}`]).status === 0);
  if (found === undefined) throw new Error(`no python3 here has ${module}; \`npm test\` says how to install it`);
  return found;
}
