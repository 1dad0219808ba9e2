import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

/** A text file of the checkout: its path relative to the root, with slashes, and its lines. */
export interface SourceFile {
  readonly path: string;
  readonly lines: readonly string[];
}

/** Folders that are not ours or that a run writes, for a checkout without git. In a worktree, `.git` is a file. */
const skipped = new Set(['node_modules', '.git', '.vitest', 'dist', 'data']);

/** Extensions of text files. Files without extension, such as `run` and `LICENSE`, are text too. */
const textKinds = new Set(
  '.ts .mts .mjs .js .json .jsonc .md .yaml .yml .toml .css .html .sh .sql .lua .service .tpl .txt .svg'.split(' '),
);

/**
 * Every text file of the checkout at `root` that git tracks or would add, ordered by path. Ignored files are the user's, and the
 * lockfile is npm's. Pictures, which pages link to, have no lines.
 */
export function readTextFiles(root: string): SourceFile[] {
  return (listedByGit(root) ?? list(root, ''))
    .filter(
      (path) =>
        path !== 'package-lock.json' && (extname(path) === '' || textKinds.has(extname(path)) || isPicture(path)),
    )
    .map((path) => ({ path, lines: isPicture(path) ? [] : readFileSync(join(root, path), 'utf8').split('\n') }));
}

function isPicture(path: string): boolean {
  return path.endsWith('.png');
}

/** The files that git tracks or would add; undefined without a git checkout or without git. */
function listedByGit(root: string): string[] | undefined {
  if (!existsSync(join(root, '.git'))) return undefined;
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (status !== 0) return undefined;
  const paths = new Set(stdout.split('\0').filter((path) => path !== ''));
  return [...paths].filter((path) => isFile(join(root, path))).toSorted();
}

/** False for a removed file and for a symbolic link. */
function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** Paths of all files below `root`, relative to it. */
function list(root: string, folder: string): string[] {
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
