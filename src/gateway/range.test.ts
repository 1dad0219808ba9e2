import fc from 'fast-check';
import { expect, test } from 'vitest';

import { parseContentRange, parseRange, rangeHeader, satisfy } from './range.ts';

const size = 1_000;

test.each<[string | undefined, [number, number] | null | 'whole']>([
  [undefined, 'whole'],
  ['', 'whole'],
  ['bytes=0-99', [0, 100]],
  ['bytes=0-0', [0, 1]],
  ['bytes=500-', [500, 1_000]],
  ['bytes=-100', [900, 1_000]],
  ['bytes=-2000', [0, 1_000]],
  ['bytes=900-5000', [900, 1_000]],
  ['bytes=999-999', [999, 1_000]],
  ['bytes=0-99999999999999999999999', [0, 1_000]],
  ['Bytes=0-9', [0, 10]],
  ['bytes= 0-9 ', [0, 10]],
  ['bytes=1000-', null],
  ['bytes=5000-10000', null],
  ['bytes=99999999999999999999999-', null],
  ['bytes=-0', null],
  // Unsupported or malformed: the whole content is sent (RFC 9110, section 14.2).
  ['bytes=500-0', 'whole'],
  ['bytes=-', 'whole'],
  ['bytes=a-b', 'whole'],
  ['bytes=0x1-0x2', 'whole'],
  ['bytes=1.5-2', 'whole'],
  ['bytes=--5', 'whole'],
  ['bytes=0-9,20-29', 'whole'],
  ['bytes=0-9, -5', 'whole'],
  ['lines=0-9', 'whole'],
  ['0-9', 'whole'],
])('%j of 1000 bytes is %j', (header, expected) => {
  const asked = parseRange(header);
  const range = asked === null ? 'whole' : satisfy(asked, size);
  expect(range).toEqual(Array.isArray(expected) ? { start: expected[0], end: expected[1] } : expected);
});

test('every range of an empty blob is unsatisfiable', () => {
  for (const text of ['bytes=0-', 'bytes=0-0', 'bytes=-1']) {
    const asked = parseRange(text);
    expect(asked === null ? undefined : satisfy(asked, 0)).toBeNull();
  }
});

test('a range survives formatting and parsing', () => {
  const natural = fc.nat(1_000_000);
  fc.assert(
    fc.property(natural, fc.option(natural), (first, length) => {
      const range = { kind: 'from', first, last: length === null ? null : first + length } as const;
      expect(parseRange(rangeHeader(range))).toEqual(range);
    }),
  );
  expect(parseRange(rangeHeader({ kind: 'suffix', length: 5 }))).toEqual({ kind: 'suffix', length: 5 });
});

test.each([
  ['bytes 0-99/1000', { start: 0, end: 100, size: 1_000 }],
  ['bytes 5-5/*', { start: 5, end: 6, size: null }],
  ['bytes 5-4/1000', null],
  ['bytes 0-1000/1000', null],
  ['bytes */1000', null],
  ['0-99/1000', null],
  ['', null],
  [undefined, null],
])('the content range %j is %j', (text, expected) => {
  expect(parseContentRange(text)).toEqual(expected);
});
