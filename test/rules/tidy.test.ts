import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTextFiles } from '../../scripts/tidy/files.ts';
import { findUntidy } from '../../scripts/tidy/rules.ts';
import { root } from '../../scripts/test/tools.ts';
import { withTree, type Files } from '../support/tree.ts';

function untidy(files: Files): Promise<string[]> {
  return withTree(files, (folder) =>
    findUntidy(readTextFiles(folder)).map(({ path, line, message }) => `${path}:${line}: ${message}`),
  );
}

describe('the tidy check', () => {
  it.each([
    ['a leftover note in a page', 'docs/a.md', 'Text.\n\nTODO: more text\n', 3, 'a leftover note'],
    ['a leftover note in a script', 'deploy/run.sh', `# FIX${'ME'}\n`, 1, 'a leftover note'],
    [
      'a path of the machine',
      'src/base/a.ts',
      `export const path = '${['', 'work', 'main', 'file'].join('/')}';\n`,
      1,
      'a path of one machine',
    ],
    ['a temporary path', 'docs/a.md', 'Look at `/tmp/x`.\n', 1, 'a path of one machine'],
    ['a home folder', 'docs/a.md', 'See /root/notes.\n', 1, 'a path of one machine'],
    ['the host of a package collection', 'docs/a.md', 'From https://registry.npmjs.org/x.\n', 1, 'the host of'],
    [
      'a disabled rule without reason',
      'src/base/a.ts',
      '// oxlint-disable-next-line no-console\n',
      1,
      'without its reason',
    ],
    ['spaces at the end of a line', 'docs/a.md', 'Text. \n', 1, 'spaces at the end'],
    ['a command that npx may download', 'docs/a.md', '    $ npx tonnage usage\n', 1, 'bin/tonnage.js'],
    ['a word that hides the actor', 'docs/a.md', 'It stands here.\n', 1, 'a word that hides the actor'],
    ['American spelling', 'docs/a.md', 'We organize it.\n', 1, 'American spelling'],
    ['a link to no file', 'README.md', '# A\n\n[it](docs/gone.md)\n', 3, 'no such file'],
    ['a link to no file, from a folder', 'docs/a.md', '[it](../docs/gone.md)\n', 1, 'no such file'],
    ['a link to no heading', 'README.md', '# A\n\n[it](#b)\n', 3, 'no such heading'],
    ['a file that a page names', 'docs/a.md', '# A\n\nSee `src/gone.ts`.\n', 3, 'no such file: src/gone.ts'],
    [
      'a file of a recipe',
      'CONTRIBUTING.md',
      '### Add a thing\n\nExample of `NAME`: `one`.\n\n1. `src/a/NAME.ts` does it.\n',
      5,
      'no such file: src/a/one.ts',
    ],
    ['a driver without a test', 'src/store/drivers/a.ts', 'export {};\n', 1, 'a driver without a test'],
    ['a nested driver without a test', 'src/gateway/cache/drivers/a.ts', 'export {};\n', 1, 'a driver without a test'],
    [
      'a driver of several files without a test',
      'src/store/drivers/a/b.ts',
      'export {};\n',
      1,
      'a driver without a test',
    ],
  ])('finds %s', async (_, path, text, line, message) => {
    const where = /^src[/].+[/]drivers[/][a-z]+/.exec(path)?.[0] ?? path;
    expect(await untidy({ [path]: text })).toEqual([expect.stringContaining(`${where}:${line}: `)]);
    expect((await untidy({ [path]: text })).join()).toContain(message);
  });

  it('finds nothing in what is tidy', async () => {
    const files = {
      'README.md':
        '# A thing, and more\n\n[a](docs/a.md#the-b) [b](#a-thing-and-more) [c](https://example.org/x) ![](docs/a.png)\n',
      'docs/a.png': 'TODO',
      'docs/a.md': '# C\n\n## The `b`\n\nAs in /var/tmp/site/data.json and [back](../README.md).\n',
      'src/base/a.ts': '// oxlint-disable-next-line no-console -- the terminal is all there is\nexport {};\n',
      'src/store/drivers/a.ts': 'export {};\n',
      'src/store/drivers/a.test.ts': 'export {};\n',
      'src/store/drivers/b/one.ts': 'export {};\n',
      'src/store/drivers/b/two.test.ts': 'export {};\n',
      'src/store/drivers/c.ts': 'export {};\n',
      'src/store/drivers/c/part.ts': 'export {};\n',
      'src/store/drivers/c.test.ts': 'export {};\n',
      'CONTRIBUTING.md': '### A\n\nExample of `NAME`: `b`.\n\n1. `src/store/drivers/NAME/one.ts`, in `src/store/`\n',
      'node_modules/a/index.js': '// TODO\n',
      'data/notes.md': 'TODO\n',
    };
    expect(await untidy(files)).toEqual([]);
  });

  it('looks at what git tracks or would add, and at nothing that it ignores', async () => {
    const files = {
      '.gitignore': '/*.yaml\nimages/\n',
      'tonnage.yaml': 'a: b \n',
      'images/blob': 'TODO\n',
      'tracked.md': 'TODO\n',
      'new.md': 'TODO\n',
    };
    const found = await withTree(files, (folder) => {
      const git = (...args: readonly string[]): unknown => execFileSync('git', args, { cwd: folder, stdio: 'ignore' });
      git('init', '--quiet');
      git('add', 'tracked.md');
      writeFileSync(join(folder, 'gone.md'), 'TODO\n');
      git('add', 'gone.md');
      rmSync(join(folder, 'gone.md'));
      return findUntidy(readTextFiles(folder)).map(({ path }) => path);
    });
    expect(found).toEqual(['new.md', 'tracked.md']);
  });

  it('finds nothing in the checkout', () => {
    expect(findUntidy(readTextFiles(root))).toEqual([]);
  });
});
