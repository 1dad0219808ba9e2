import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TextWriter } from './text-writer.ts';
import { canonicalFloat } from './numbers.ts';

test.each([
  '0.0 0.001 0.002 0.01 0.1 0.9 0.95 0.99 0.999 1.0 1.7 10.0',
  '1e-10 1e-09 1e-05 0.0001 0.1 1.0 100000.0 1e+06 1e+10',
  '-1.0 2.5 123456.0 1.234567e+06 1.55555555555552e+06 1e+23 1.1e+23 +Inf -Inf NaN',
])('canonical floats are unchanged: %s', (line) => {
  for (const text of line.split(' ')) expect(canonicalFloat(Number(text.replace('Inf', 'Infinity')))).toBe(text);
});

function written(value: number | bigint): string {
  const out = new TextWriter();
  out.value(value);
  return Buffer.from(out.take()).toString();
}

test.each([
  0,
  9,
  10,
  99,
  100,
  99_999,
  100_000,
  9_999_999,
  10_000_000,
  2 ** 31 - 1,
  2 ** 31,
  -1,
  -(2 ** 31),
  -10,
  2 ** 53,
])('the digits of %d', (value) => expect(written(value)).toBe(String(value)));

test('any value parses back to itself', () => {
  fc.assert(
    fc.property(fc.oneof(fc.integer(), fc.double(), fc.bigInt()), (value) => {
      const text = written(value);
      const read = typeof value === 'bigint' ? BigInt(text) : Number(text.replace('Inf', 'Infinity'));
      // The sign of zero is dropped.
      expect(read).toBe(value === 0 ? 0 : value);
    }),
  );
});
