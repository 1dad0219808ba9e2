import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checks } from '../../scripts/test/checks.ts';
import { root, runTool } from '../../scripts/test/tools.ts';
import { withTree, type Files } from '../support/tree.ts';

/** Runs the very check that `npm test` runs, over one file and those of `more`. */
function format(text: string, more: Files = {}): Promise<{ code: number; output: string }> {
  return withTree({ 'src/file.ts': text, ...more }, async (folder) => {
    for (const name of ['.prettierrc.json', '.prettierignore', '.gitignore'])
      copyFileSync(join(root, name), join(folder, name));
    const check = checks.find(({ name }) => name === 'formatting');
    return runTool(check?.file ?? '', check?.args ?? [], { cwd: folder });
  });
}

it('looks at nothing that the steps of the README leave in a checkout', async () => {
  const left = ['tonnage.yaml', 'data/lab/tonnage.yaml', 'data/lab/app/manifest.json', 'data/other/cache/blobs/a.json'];
  const files = Object.fromEntries(left.map((path) => [path, '{"a":   1}']));
  expect(await format("export const text = 'a';\n", files)).toMatchObject({ code: 0 });
});

it('accepts what the formatter would write', async () => {
  expect((await format("export const text = 'a';\n")).code).toBe(0);
});

it.each(['export const text = "a";\n', "export const text = 'a'\n", "export const text =  'a';\n"])(
  'reports %j',
  async (text) => {
    const { code, output } = await format(text);
    expect(code).not.toBe(0);
    expect(output).toContain('src/file.ts');
  },
);
