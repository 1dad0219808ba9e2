import { describe, expect, test } from 'vitest';
import { limits } from '../base/index.ts';
import { parseYaml } from './parse-yaml.ts';
import { formatProblem } from './problems.ts';
import { nodeAt, plainOf, type Path } from './tree.ts';

const plain = (text: string): unknown => plainOf(parseYaml(text, 'c.yaml').tree);
const problems = (text: string): string[] => parseYaml(text, 'c.yaml').problems.map(formatProblem);

describe('values', () => {
  test.each([
    ['an empty file', '', {}],
    ['comments only', '# nothing\n---\n', {}],
    ['a byte order mark', '\u{feff}data: x', { data: 'x' }],
    ['words of YAML 1.1', 'a: yes\nb: on\nc: 2001-01-01', { a: 'yes', b: 'on', c: '2001-01-01' }],
    ['kinds of YAML 1.2', 'a: true\nb: 1\nc: ~\nd: "1"\ne: [x, 2]', { a: true, b: 1, c: null, d: '1', e: ['x', 2] }],
    ['keys that are numbers', '8080: x', { 8080: 'x' }],
    ['aliases', 'a: &x {k: 1}\nb: *x', { a: { k: 1 }, b: { k: 1 } }],
    ['JSON', '{"a": {"b": [false]}}', { a: { b: [false] } }],
  ])('%s', (_title, text, expected) => {
    expect(problems(text)).toEqual([]);
    expect(plain(text)).toEqual(expected);
  });
});

test('each value has its line and column', () => {
  const { tree } = parseYaml('a: 1\nb:\n  c:\n    - x\n    - y\n', 'c.yaml');
  const position = (path: Path): unknown => nodeAt(tree, path)?.origin;
  expect(position(['a'])).toEqual({ kind: 'file', file: 'c.yaml', line: 1, column: 4 });
  expect(position(['b', 'c', 1])).toEqual({ kind: 'file', file: 'c.yaml', line: 5, column: 7 });
});

describe('the error for invalid YAML states its place', () => {
  test.each([
    ['a duplicate key', 'a: 1\na: 2', 'c.yaml:2:1: this key is stated twice in the same map'],
    ['a missing bracket', 'a: [1, 2', 'c.yaml:1:9: the indentation does not fit'],
    ['a missing quote', 'a: "x', 'c.yaml:1:6: a character is missing here'],
    ['a tab', 'a:\n\tb: 1', 'c.yaml:2:1: tabs may not indent'],
    ['a second document', 'a: 1\n---\nb: 2', 'c.yaml:2:1: one document is expected'],
    ['an unknown alias', 'a: *x', 'c.yaml:1:4: an alias (*name) of an anchor'],
    ['a tag', 'a: !secret x', 'c.yaml:1:4: tags (!name) are not supported'],
    ['a map as key', '{a: 1}: 2', 'c.yaml:1:1: a key must be plain text'],
    ['a key with a meaning of its own', '__proto__: 1', 'c.yaml:1:1: this cannot be a key'],
    ['a list at the top', '- a', 'c.yaml:1:1: expected a map of settings at the top, but came a list'],
    ['a text at the top', 'hunter2', 'c.yaml:1:1: expected a map of settings at the top, but came a string'],
    ['a stray colon', 'a: b: c', 'c.yaml:1:4: a map may not start on the line of another key'],
  ])('%s', (_title, text, message) => {
    expect(problems(text).join('\n')).toContain(message);
  });

  test('the message never quotes the text, which may contain a secret', () => {
    for (const text of [
      'p: "hunter2',
      'p: hunter2: x',
      'p: @hunter2',
      'p: [hunter2',
      '"hunter2" hunter2',
      '%hunter2\n---',
    ]) {
      expect(problems(text).length, text).toBeGreaterThan(0);
      expect(problems(text).join(), text).not.toContain('hunter2');
    }
  });
});

describe('a short text cannot expand without end', () => {
  test('aliases of aliases', () => {
    const lines = Array.from({ length: 30 }, (_, row) => `k${row + 1}: &a${row + 1} [*a${row}, *a${row}]`);
    expect(problems(['k0: &a0 x', ...lines].join('\n'))).toEqual([
      expect.stringContaining(`at most ${limits.configNodesMax} values are expected`),
    ]);
  });

  test('an alias of its own parent', () => {
    expect(problems('a: &x [*x]')).toHaveLength(1);
  });

  test('deep nesting', () => {
    expect(problems('['.repeat(50_000)).length).toBeGreaterThan(0);
    expect(problems(`a: ${'['.repeat(100)}${']'.repeat(100)}`)).toHaveLength(1);
  });
});
