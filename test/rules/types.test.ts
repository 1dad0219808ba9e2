import { copyFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { root, runTool, tools } from '../../scripts/test/tools.ts';
import { withTree } from '../support/tree.ts';

/** Each flag of tsconfig.json that makes the compiler stricter, a breach of it, and the error that must come. */
const breaches: readonly { flag: string; file?: string; text: string; error: string }[] = [
  { flag: 'strict', text: 'export const length = (text: string | undefined) => text.length;', error: 'TS18048' },
  {
    flag: 'noUncheckedIndexedAccess',
    text: 'export const first = (list: string[]): string => list[0];',
    error: 'TS2322',
  },
  {
    flag: 'exactOptionalPropertyTypes',
    text: 'export const options: { readonly port?: number } = { port: undefined };',
    error: 'TS2375',
  },
  {
    flag: 'noImplicitOverride',
    text: 'class Base { run() {} }\nexport class Derived extends Base { run() {} }',
    error: 'TS4114',
  },
  {
    flag: 'noImplicitReturns',
    text: 'export function sign(n: number) {\n  if (n > 0) return 1;\n}',
    error: 'TS7030',
  },
  { flag: 'noUnusedLocals', text: 'const unused = 1;\nexport {};', error: 'TS6133' },
  { flag: 'noUnusedParameters', text: 'export const zero = (unused: number) => 0;', error: 'TS6133' },
  {
    flag: 'noFallthroughCasesInSwitch',
    text: 'export function f(n: number) {\n  switch (n) {\n    case 1:\n      n++;\n    default:\n      return n;\n  }\n}',
    error: 'TS7029',
  },
  {
    flag: 'verbatimModuleSyntax',
    text: "import { PathLike } from 'node:fs';\nexport type P = PathLike;",
    error: 'TS1484',
  },
  { flag: 'erasableSyntaxOnly', text: 'export enum Colour {\n  red,\n}', error: 'TS1294' },
  { flag: 'checkJs', file: 'checkJs.mjs', text: '/** @type {number} */\nexport const n = "one";', error: 'TS2322' },
];

describe('the compiler', () => {
  let output = '';
  beforeAll(async () => {
    const files = breaches.map(({ flag, file, text }): [string, string] => [
      `src/${file ?? `${flag}.ts`}`,
      `${text}\n`,
    ]);
    const sound: [string, string] = [
      'src/sound.ts',
      "import type { PathLike } from 'node:fs';\nexport type P = PathLike;\n",
    ];
    const manifest: [string, string] = ['package.json', '{"type":"module"}'];
    output = await withTree(Object.fromEntries([manifest, sound, ...files]), async (folder) => {
      copyFileSync(join(root, 'tsconfig.json'), join(folder, 'tsconfig.json'));
      symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
      return (await runTool(tools.tsc, ['-p', '.', '--pretty', 'false'], { cwd: folder })).output;
    });
  });

  it.each(breaches)('refuses what $flag forbids', ({ flag, file, error }) => {
    expect(output).toMatch(new RegExp(`^src/${file ?? `${flag}.ts`}\\(.*: error ${error}:`, 'm'));
  });

  it('accepts a sound file', () => {
    expect(output).not.toContain('src/sound.ts');
  });
});
