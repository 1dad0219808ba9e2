import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, formatSize, parseDuration, parseSize } from './units.ts';

describe('durations', () => {
  test.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['12h', 43_200_000],
    ['35d', 3_024_000_000],
    ['0s', 0],
  ])('%s is %d milliseconds', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(['', '5', 's', '1.5s', '-1s', '5 s', ' 5s', '5S', '5w', '1h30m', '999999999999999d', '5constructor'])(
    '%j is invalid',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  test('a formatted duration is read as the same duration', () => {
    fc.assert(fc.property(fc.nat(1e13), (ms) => parseDuration(formatDuration(ms)) === ms));
  });

  test('the largest unit that fits is used', () => {
    expect([90_000, 60_000, 86_400_000, 1_500, 0].map(formatDuration)).toEqual(['90s', '1m', '1d', '1500ms', '0ms']);
  });
});

describe('sizes', () => {
  test.each([
    ['50GiB', 53_687_091_200],
    ['512KiB', 524_288],
    ['7B', 7],
    ['2TiB', 2_199_023_255_552],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each(['50', '50GB', '50gib', '5 GiB', '1.5GiB', '99999999TiB', 'GiB'])('%j is invalid', (text) => {
    expect(parseSize(text)).toBeUndefined();
  });

  test('a formatted size is read as the same size', () => {
    fc.assert(fc.property(fc.nat(2 ** 30), (bytes) => parseSize(formatSize(bytes)) === bytes));
  });
});
