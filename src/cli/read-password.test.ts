import { describe, expect, test } from 'vitest';
import { HiddenLine } from './read-password.ts';
import { run } from './testing/terminal.ts';

describe('a hidden line', () => {
  test.each([
    ['typed', ['secret', '\r'], 'ended', 'secret'],
    ['pasted with its end', ['secret\n'], 'ended', 'secret'],
    ['not ended yet', ['sec', 'ret'], 'open', 'secret'],
    ['corrected', ['secrex', '\u007F', 't\r'], 'ended', 'secret'],
    ['corrected beyond its start', ['\b\b', 'a\r'], 'ended', 'a'],
    ['corrected by one character of two units', ['a😀\u007F\r'], 'ended', 'a'],
    ['begun anew', ['wrong\u0015secret\r'], 'ended', 'secret'],
    ['interrupted', ['sec\u0003'], 'cancelled', 'sec'],
    ['closed', ['\u0004'], 'cancelled', ''],
  ] as const)('%s', (_title, keys, state, text) => {
    const line = new HiddenLine();
    expect(keys.map((each) => line.type(each)).at(-1)).toBe(state);
    expect(line.text).toBe(text);
  });
});

test.each([
  ['', 'tonnage: password: expected at least one character on standard input, got none\n'],
  ['\n', 'tonnage: password: expected at least one character on standard input, got none\n'],
  ['a\nb\n', 'tonnage: password: expected one line without control characters, got something else\n'],
  [Buffer.from([0xff]), 'tonnage: password: expected text in UTF-8, got other bytes\n'],
  ['x'.repeat(5_000), 'tonnage: password: expected at most 4096 bytes, got more\n'],
])('%j is no password', async (input, message) => {
  expect(await run(['user', 'hash'], { input })).toEqual({ code: 1, stdout: '', stderr: message });
});
