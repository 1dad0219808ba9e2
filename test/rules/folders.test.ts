import { expect, it } from 'vitest';
import { readTextFiles, type SourceFile } from '../../scripts/tidy/files.ts';
import { root } from '../../scripts/test/tools.ts';

/** Lines of each folder of `src/` without tests and what only tests use. */
function linesByFolder(files: readonly SourceFile[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { path, lines } of files) {
    const [, folder] = /^src\/([^/]+)\/(?!.*([.]test[.]ts$|testing\/|conformance[.]ts$)).*[.]ts$/.exec(path) ?? [];
    if (folder !== undefined) sums.set(folder, (sums.get(folder) ?? 0) + lines.length);
  }
  return sums;
}

/** Folders that may have more, each with the reason. */
const exceptions: Readonly<Record<string, string>> = {};

function largeFolders(files: readonly SourceFile[]): string[] {
  const sums = linesByFolder(files);
  const total = [...sums.values()].reduce((sum, lines) => sum + lines, 0);
  return [...sums]
    .filter(([folder, lines]) => lines > 0.15 * total && exceptions[folder] === undefined)
    .map(([folder, lines]) => `${folder}: ${lines} of ${total}`);
}

it('no folder of src/ has more than 15% of the lines', () => {
  const file = (path: string, count: number) => ({ path, lines: Array<string>(count).fill('') });
  const others = Array.from({ length: 9 }, (_, index) => file(`src/f${index}/a.ts`, 10));
  expect(largeFolders([...others, file('src/large/a.ts', 17), file('src/f0/a.test.ts', 90)])).toEqual([
    'large: 17 of 107',
  ]);
  expect(largeFolders([...others, file('src/large/a.ts', 15)])).toEqual([]);
  expect(largeFolders(readTextFiles(root))).toEqual([]);
});
