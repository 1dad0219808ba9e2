import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { chooseCoding, compressor } from './coding.ts';

describe('the coding of a response', () => {
  test.each([
    [undefined, 'identity'],
    ['', 'identity'],
    ['gzip', 'gzip'],
    ['GZip', 'gzip'],
    ['zstd', 'zstd'],
    ['gzip, deflate, br', 'gzip'],
    ['deflate, gzip, br, zstd', 'zstd'],
    ['gzip, zstd', 'zstd'],
    ['zstd;q=0.5, gzip', 'gzip'],
    ['zstd;q=0, gzip;q=0.001', 'gzip'],
    ['gzip;q=0', 'identity'],
    ['gzip ; q=0.8 , zstd ; q=0.2', 'gzip'],
    ['*', 'zstd'],
    ['*;q=0.5, gzip', 'gzip'],
    ['gzip;q=0, *', 'zstd'],
    ['*;q=0', 'identity'],
    ['identity', 'identity'],
    ['identity, gzip', 'gzip'],
    ['identity, gzip;q=0.5', 'identity'],
    ['identity;q=0, br', 'identity'],
    ['identity;q=0, gzip;q=0, zstd;q=0', 'identity'],
    ['br', 'identity'],
    ['gzip;q=x', 'identity'],
    [';;,,q=1', 'identity'],
  ] as const)('for Accept-Encoding %j is %s', (header, coding) => {
    expect(chooseCoding(header)).toBe(coding);
  });
});

test.each([
  ['gzip', gunzipSync],
  ['zstd', zstdDecompressSync],
] as const)('%s can be decoded', async (coding, undo) => {
  const text = Buffer.from('a_total{b="c"} 1\n'.repeat(10_000));
  const stream = compressor(coding);
  if (stream === undefined) throw new Error('expected a compressor');
  const coded = await buffer(Readable.from([text]).pipe(stream));
  expect(coded.length).toBeLessThan(text.length / 10);
  expect(undo(coded).equals(text)).toBe(true);
});

test('identity has no compressor', () => {
  expect(compressor('identity')).toBeUndefined();
});
