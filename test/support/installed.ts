import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Folders of servers, which are not in every user's PATH, and of the system's own programs. */
const systemFolders = ['/usr/bin', '/usr/sbin', '/usr/local/sbin'];

/**
 * Path of a program that a test runs. Throws if there is none: `npm test` installs the programs, and no test is skipped
 * because one is missing.
 */
export function program(name: string): string {
  const [first] = programs(name);
  if (first === undefined) throw new Error(`${name} is not installed; \`npm test\` says how to install it`);
  return first;
}

/** Path of a Python that has the module. It need not be the first in PATH: a version manager's comes before the system's. */
export function pythonWith(module: string): string {
  const found = programs('python3').find((path) => spawnSync(path, ['-c', `import ${module}`]).status === 0);
  if (found === undefined) throw new Error(`no python3 here has ${module}; \`npm test\` says how to install it`);
  return found;
}

function programs(name: string): string[] {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...systemFolders];
  return [...new Set(folders)].map((folder) => join(folder, name)).filter((path) => existsSync(path));
}
