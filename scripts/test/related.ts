import { execFileSync } from 'node:child_process';
import { root } from './tools.ts';

/**
 * Tests that run files of the checkout as processes, so that no import leads from the test to those files. A change of a
 * file that matches `files` runs all tests of `folder`. `test/e2e` runs all of `src/`. Only the folders that start and
 * serve the program are listed for it, because the others have their tests next to them.
 */
const startedFiles: readonly { readonly files: RegExp; readonly folder: string }[] = [
  { files: /^(bin|src\/((app|offline)[.]ts$|cli|config|http|sqlite|thread|wiring))/, folder: 'test/e2e' },
  { files: /^(scripts|bin)\//, folder: 'test/setup' },
  { files: /^(scripts|docs)\/|^[^/]+$/, folder: 'test/rules' },
];

/** Files that differ from a commit, untracked ones included, relative to the root of the checkout. */
export function changedFiles(since: string): readonly string[] {
  const git = (...args: readonly string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' });
  const changed = git('diff', '--name-only', '--diff-filter=d', since, '--');
  const untracked = git('ls-files', '--others', '--exclude-standard');
  return `${changed}${untracked}`.split('\n').filter((path) => path !== '');
}

/** Folders of which all tests run after a change of these files. */
export function relatedFolders(files: readonly string[]): readonly string[] {
  return startedFiles.filter((started) => files.some((file) => started.files.test(file))).map(({ folder }) => folder);
}
