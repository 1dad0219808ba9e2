import { copyFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { root, runTool, tools } from '../../scripts/test/tools.ts';
import { withTree } from '../support/tree.ts';

const long = (count: number, line: string) => Array.from({ length: count }, () => line).join('\n');

/** What the linter must find: a file with one breach, and the rule that must name it. */
const breaches: readonly { title: string; file: string; text: string; rule: string }[] = [
  {
    title: 'a promise without await',
    file: 'src/http/floating.ts',
    text: 'export function f() {\n  Promise.resolve(1);\n}',
    rule: 'no-floating-promises',
  },
  {
    title: 'a promise where a condition is meant',
    file: 'src/http/misused.ts',
    text: 'export const f = (p: Promise<boolean>) => {\n  if (p) return 1;\n  return 2;\n};',
    rule: 'no-misused-promises',
  },
  {
    title: 'waiting for what is no promise',
    file: 'src/http/await.ts',
    text: 'export async function f() {\n  await 1;\n}',
    rule: 'await-thenable',
  },
  {
    title: 'a switch that leaves a case out',
    file: 'src/http/switch.ts',
    text: "export function f(x: 'a' | 'b') {\n  switch (x) {\n    case 'a':\n      f('b');\n  }\n}",
    rule: 'switch-exhaustiveness-check',
  },
  { title: 'any', file: 'src/http/any.ts', text: 'export const f = (x: any) => [x];', rule: 'no-explicit-any' },
  {
    title: 'an untyped value put to use',
    file: 'src/http/unsafe.ts',
    text: "export const f = (): string => JSON.parse('1');",
    rule: 'no-unsafe-return',
  },
  {
    title: 'an assertion that narrows',
    file: 'src/http/as.ts',
    text: 'export const f = (x: unknown) => x as string;',
    rule: 'no-unsafe-type-assertion',
  },
  {
    title: 'an assertion that something is there',
    file: 'src/http/bang.ts',
    text: 'export const f = (x?: string) => x!.length;',
    rule: 'no-non-null-assertion',
  },
  {
    title: 'a promise returned out of a try block',
    file: 'src/http/return.ts',
    text: 'export async function f() {\n  try {\n    return Promise.resolve(1);\n  } catch {\n    return 2;\n  }\n}',
    rule: 'return-await',
  },
  {
    title: 'something thrown that is no error',
    file: 'src/http/throw.ts',
    text: "export function f() {\n  throw 'text';\n}",
    rule: 'only-throw-error',
  },
  {
    title: 'a compiler error switched off',
    file: 'src/http/ignore.ts',
    text: '// @ts-ignore\nexport const x: number = 1;',
    rule: 'ban-ts-comment',
  },
  {
    title: 'a disable directive that disables nothing',
    file: 'src/http/unused.ts',
    text: '// oxlint-disable-next-line no-console -- once it did\nexport const x = 1;',
    rule: 'Unused oxlint-disable directive',
  },
  ...['Date.now()', 'performance.now()', 'Math.random()'].map((call, index) => ({
    title: `${call} outside of src/base`,
    file: `src/ledger/clock-${index}.ts`,
    text: `export const x = ${call};`,
    rule: 'no-restricted-properties',
  })),
  ...['randomBytes', 'randomUUID'].map((name) => ({
    title: `${name} outside of src/base`,
    file: `src/ledger/${name}.ts`,
    text: `import { ${name} } from 'node:crypto';\nexport { ${name} };`,
    rule: 'no-restricted-imports',
  })),
  ...['process', 'fetch', 'WebSocket'].map((name) => ({
    title: `${name} in a folder without input and output`,
    file: `src/usage/${name}.ts`,
    text: `export const x = ${name};`,
    rule: 'no-restricted-globals',
  })),
  {
    title: 'the console outside of src/cli',
    file: 'src/http/console.ts',
    text: "console.log('hello');\nexport {};",
    rule: 'no-console',
  },
  { title: 'a file of 401 lines', file: 'src/http/long.ts', text: long(401, 'export {};'), rule: 'max-lines' },
  {
    title: 'a function of 71 lines',
    file: 'src/http/tall.ts',
    text: `export function f() {\n${long(69, '  f();')}\n}`,
    rule: 'max-lines-per-function',
  },
  ...['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].map((word) => ({
    title: `a leftover ${word}`,
    file: `src/http/${word}.ts`,
    text: `// ${word}: later\nexport {};`,
    rule: 'no-warning-comments',
  })),
  ...[
    'export const registry = 1;',
    'export class Registry {}',
    'export interface Registry {}',
    'export const f = (registry: string) => registry;',
    'export const o = { registry: 1 };',
  ].map((text, index) => ({
    title: `the word registry alone in ${text}`,
    file: `src/http/word-${index}.ts`,
    text,
    rule: 'id-denylist',
  })),
  {
    title: 'a file name in another case',
    file: 'src/http/camelCase.ts',
    text: 'export {};',
    rule: 'filename-case',
  },
  {
    title: 'a suite that leaves the others out',
    file: 'src/http/only.test.ts',
    text: "import { it } from 'vitest';\nit.only('works', () => {});",
    rule: 'no-focused-tests',
  },
  {
    title: 'a suite that is left out',
    file: 'src/http/skip.test.ts',
    text: "import { it } from 'vitest';\nit.skip('works', () => {});",
    rule: 'no-disabled-tests',
  },
];

/** Files in which what is forbidden elsewhere has its place. */
const sound = {
  'src/base/clock.ts': 'export const now = () => Date.now();\n',
  'src/base/random.ts': "import { randomUUID } from 'node:crypto';\nexport const uuid = () => randomUUID();\n",
  'src/cli/main.ts': "console.log('hello');\n",
  'src/http/word.ts': "export const dockerRegistry = 'registry';\n",
  'src/http/tall-enough.ts': `export function f() {\n${long(68, '  f();')}\n}\n`,
};

describe('the linter', () => {
  let output = '';
  beforeAll(async () => {
    const planted = Object.fromEntries(breaches.map(({ file, text }) => [file, `${text}\n`]));
    output = await withTree({ 'package.json': '{"type":"module"}', ...sound, ...planted }, async (folder) => {
      for (const name of ['.oxlintrc.json', 'tsconfig.json']) copyFileSync(join(root, name), join(folder, name));
      symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
      return (await runTool(tools.oxlint, ['--format=unix', 'src'], { cwd: folder })).output;
    });
  });

  it.each(breaches)('finds $title', ({ file, rule }) => {
    const lines = output.split('\n').filter((line) => line.startsWith(`${file}:`));
    expect(
      lines.filter((line) => line.includes(rule) && line.includes('[Error')),
      lines.join('\n'),
    ).not.toEqual([]);
  });

  it.each(Object.keys(sound))('finds nothing in %s', (file) => {
    expect(output).not.toContain(`${file}:`);
  });
});
