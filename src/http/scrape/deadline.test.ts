import fc from 'fast-check';
import { expect, test } from 'vitest';
import { limits } from '../../base/index.ts';
import { scrapeDeadlineMs } from './deadline.ts';

test.each([
  ['10', 9_750],
  ['0.5', 250],
  ['0.3', 150],
  ['1.001', 751],
  ['0.0001', 1],
  ['1e1', 9_750],
  ['100000', limits.scrapeMsMax],
  ['Infinity', limits.scrapeMsMax],
  [undefined, limits.scrapeMsMax],
  ['', limits.scrapeMsMax],
  ['0', limits.scrapeMsMax],
  ['-1', limits.scrapeMsMax],
  ['NaN', limits.scrapeMsMax],
  ['10s', limits.scrapeMsMax],
  [['10', '20'], limits.scrapeMsMax],
] as const)('a scraper with a timeout of %j seconds has a deadline of %d ms', (header, ms) => {
  expect(scrapeDeadlineMs(header)).toBe(ms);
});

test('every deadline is a valid timer delay', () => {
  fc.assert(
    fc.property(fc.oneof(fc.double(), fc.string()), (header) => {
      const ms = scrapeDeadlineMs(String(header));
      expect(() => AbortSignal.timeout(ms)).not.toThrow();
      expect(ms).toBeGreaterThan(0);
      expect(ms).toBeLessThanOrEqual(limits.scrapeMsMax);
    }),
  );
});
