import { describe, expect, test } from 'vitest';
import { parseIo, parseLimit, parseNetDev, parseStat } from './proc-text.ts';

const statFields = 'S 1 2 3 0 -1 4194304 99 0 0 0 11 12 0 0 20 0 8 0 410447 3133440 394 18446744073709551615';

describe('stat', () => {
  test.each([
    ['a plain name', `4711 (node) ${statFields} 0 0\n`],
    ['a name with spaces and parentheses', `4711 (a) (b c) d) ${statFields} 0 0\n`],
  ])('is read with %s', (_, text) => {
    expect(parseStat(text)).toEqual({ threads: 8, virtualBytes: 3_133_440 });
  });

  test.each(['', '4711 (node)', '4711 (node) S 1 2', `4711 (node) ${statFields.replace('3133440', '-')}`])(
    'says nothing when it is %j',
    (text) => {
      expect(parseStat(text)).toBeUndefined();
    },
  );
});

describe('limits', () => {
  const text = [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max open files            20000                30000                files     ',
    'Max open files and more   1                    1                    files     ',
    'Max address space         unlimited            unlimited            bytes     ',
    'Max realtime timeout      none                 unlimited            us        ',
  ].join('\n');

  test.each([
    ['Max open files', 20_000],
    ['Max address space', Infinity],
    ['Max realtime timeout', undefined],
    ['Max processes', undefined],
    ['Max open', undefined],
  ])('say of %s: %s', (name, limit) => {
    expect(parseLimit(text, name)).toBe(limit);
  });

  test('say nothing when there are none', () => {
    expect(parseLimit('', 'Max open files')).toBeUndefined();
  });
});

test.each([
  ['read_bytes', 4096],
  ['write_bytes', 0],
  ['cancelled', undefined],
])('io says of %s: %s', (name, bytes) => {
  expect(parseIo('rchar: 1\ncancelled_write_bytes: 7\nread_bytes: 4096\nwrite_bytes: 0\n', name)).toBe(bytes);
});

describe('net/dev', () => {
  const headings = 'Inter-|   Receive    |  Transmit\n face |bytes    packets |bytes\n';
  test.each([
    ['with spaces after the name', '    lo: 100 1 0 0 0 0 0 0 200 1 0 0 0 0 0 0\n', { lo: [100, 200] }],
    ['without spaces after the name', 'eth0:1190352458 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n', { eth0: [1_190_352_458, 7] }],
    ['of an alias', 'eth0:1: 5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0\n', { 'eth0:1': [5, 6] }],
    ['cut short', 'eth0: 5 1 0\n', {}],
    ['of none', '', {}],
  ])('is read %s', (_, lines, expected) => {
    const read = [...parseNetDev(headings + lines)].map(([name, bytes]) => [name, [bytes.received, bytes.transmitted]]);
    expect(Object.fromEntries(read)).toEqual(expected);
  });
});
