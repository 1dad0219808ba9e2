import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checks } from '../../scripts/test/checks.ts';
import { root, runTool } from '../../scripts/test/tools.ts';
import { withTree, type Files } from '../support/tree.ts';

/** A tree in which everything is used. */
const tidy: Files = {
  'package.json': '{"name":"tidy","type":"module","bin":"bin/tonnage.js"}',
  'bin/tonnage.js': `import '../src/cli/main.ts';`,
  'src/cli/main.ts': `import { run, type Command } from '../base/index.ts';\nexport const started: Command = run;\n`,
  'src/base/index.ts': `export { run, type Command } from './run.ts';\n`,
  'src/base/run.ts': `export type Command = () => number;\nexport const run: Command = () => 1;\n`,
};

/** Runs the very check that `npm test` runs. */
function findUnused(files: Files): Promise<{ code: number; output: string }> {
  return withTree({ ...tidy, ...files }, async (folder) => {
    copyFileSync(join(root, '.knip.jsonc'), join(folder, '.knip.jsonc'));
    const check = checks.find(({ name }) => name === 'exports');
    return runTool(check?.file ?? '', check?.args ?? [], { cwd: folder });
  });
}

describe('the check for unused exports', () => {
  it('accepts a tree in which everything is used', async () => {
    const { output } = await findUnused({});
    expect(output).not.toMatch(/Unused (files|exports|exported types)/);
  });

  it.each<[string, Files, RegExp]>([
    [
      'a function',
      { 'src/base/run.ts': `${tidy['src/base/run.ts']}export const spare = 2;\n` },
      /^spare\s.*src\/base\/run\.ts/m,
    ],
    [
      'a type',
      { 'src/base/run.ts': `${tidy['src/base/run.ts']}export interface Spare {}\n` },
      /^Spare\s.*src\/base\/run\.ts/m,
    ],
    ['a file', { 'src/base/spare.ts': 'export const spare = 2;\n' }, /^src\/base\/spare\.ts/m],
  ])('reports %s that nothing imports', async (_, files, line) => {
    const { code, output } = await findUnused(files);
    expect(code).not.toBe(0);
    expect(output).toMatch(line);
  });
});
