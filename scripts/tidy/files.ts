import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

/** A text file of the checkout: its path relative to the root, with slashes, and its lines. */
export interface SourceFile {
  readonly path: string;
  readonly lines: readonly string[];
}

/** Folders that are not ours, or that a run writes. In a worktree, `.git` is a file. */
const skipped = new Set(['node_modules', '.git', '.vitest', 'dist', 'data']);

/** Kinds of files that people read and write. Names without extension, such as `run` and `LICENSE`, are text too. */
const textKinds = new Set(
  '.ts .mts .mjs .js .json .md .yaml .yml .toml .css .html .sh .sql .lua .service .tpl .txt .svg'.split(' '),
);

/** Every text file below `root`, in the order of their paths. The lockfile is npm's, not ours. */
export function readTextFiles(root: string): SourceFile[] {
  return list(root, '')
    .filter((path) => path !== 'package-lock.json' && (extname(path) === '' || textKinds.has(extname(path))))
    .map((path) => ({ path, lines: readFileSync(join(root, path), 'utf8').split('\n') }));
}

/** Paths of all files below `root`, relative to it. */
export function list(root: string, folder: string): string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (skipped.has(entry.name)) return [];
      if (entry.isDirectory()) return list(root, path);
      return entry.isFile() ? [path] : [];
    });
}
