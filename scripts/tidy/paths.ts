import type { SourceFile } from './files.ts';
import type { Finding } from './rules.ts';

/** A code span that names a file or folder of the checkout. */
const pathSpan = /`((?:bench|bin|docs|scripts|src|test|web)\/[\w./-]+)`/g;

/** What `NAME` in the paths of a recipe is in an example that exists. */
const example = /^Example of `NAME`: `([\w-]+)`/;

/**
 * Code spans of Markdown that name a file or folder that does not exist. `NAME` in a path is replaced by the example that
 * the section gives. CHANGELOG.md may name what is gone.
 */
export function brokenPaths(files: readonly SourceFile[], paths: ReadonlySet<string>): Finding[] {
  const folders = new Set([...paths].flatMap(foldersOf));
  return files
    .filter(({ path }) => path.endsWith('.md') && path !== 'CHANGELOG.md')
    .flatMap(({ path, lines }) => {
      let name = 'NAME';
      return lines.flatMap((text, index) => {
        if (text.startsWith('#')) name = 'NAME';
        name = example.exec(text)?.[1] ?? name;
        return [...text.matchAll(pathSpan)].flatMap(([, span = '']) => {
          const target = span.replaceAll('NAME', name).replace(/\/$/, '');
          if (paths.has(target) || folders.has(target)) return [];
          return [{ path, line: index + 1, message: `no such file: ${target}` }];
        });
      });
    });
}

function foldersOf(path: string): string[] {
  const steps = path.split('/');
  return steps.slice(1).map((_, index) => steps.slice(0, index + 1).join('/'));
}
