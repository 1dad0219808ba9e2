import { describe, expect, it } from 'vitest';
import { addDays, daysBetween } from './days.ts';
import { formatShare, share } from './numbers.ts';
import { missing, stack, upperEdges } from './stack.ts';

describe('days', () => {
  it.each([
    ['2026-11-22', -30, '2026-10-23'],
    ['2024-02-28', 1, '2024-02-29'],
    ['2026-12-31', 1, '2027-01-01'],
    ['2026-03-29', 1, '2026-03-30'],
  ])('%s and %d days is %s', (day, count, expected) => {
    expect(addDays(day, count)).toBe(expected);
  });

  it('are all days from the first, inclusive, to the last, exclusive', () => {
    expect(daysBetween('2026-10-30', '2026-11-02')).toEqual(['2026-10-30', '2026-10-31', '2026-11-01']);
    expect(daysBetween('2026-11-02', '2026-11-02')).toEqual([]);
    expect(daysBetween('2026-11-02', '2026-11-01')).toEqual([]);
  });
});

describe('a share', () => {
  it.each([
    [0n, 0n, 0, '0%'],
    [0n, 5n, 0, '0%'],
    [1n, 2n, 0.5, '50%'],
    [1n, 10n ** 30n, 0.001, '<1%'],
    [10n ** 30n, 10n ** 30n, 1, '100%'],
  ])('%d of %d is %d, shown as %s', (count, total, part, text) => {
    expect(share(count, total)).toBe(part);
    expect(formatShare(part).replace(/\s/, '')).toBe(text);
  });
});

describe('the layers of the bars', () => {
  const days = ['2026-11-01', '2026-11-02'];
  const row = (from: string, arch: string | null, value: bigint) => ({ from, dimensions: { arch }, value });

  it('are the largest first, with 0 for days without events, and a name for a missing dimension', () => {
    const rows = [row('2026-11-01', 'arm64', 1n), row('2026-11-02', 'amd64', 3n), row('2026-11-02', null, 2n)];
    expect(stack(rows, 'arch', days)).toEqual([
      { name: 'amd64', values: [0, 3] },
      { name: missing, values: [0, 2] },
      { name: 'arm64', values: [1, 0] },
    ]);
  });

  it('omit days that are not shown', () => {
    expect(stack([row('2026-10-31', 'amd64', 1n)], 'arch', days)).toEqual([]);
  });

  it('beyond the fifth are merged, and the sum stays the same', () => {
    const rows = Array.from({ length: 8 }, (_, index) => row('2026-11-01', `arch${index}`, BigInt(100 - index)));
    const layers = stack(rows, 'arch', days);
    expect(layers.map(({ name }) => name)).toEqual(['arch0', 'arch1', 'arch2', 'arch3', 'arch4', 'other']);
    expect(layers.at(-1)?.values).toEqual([95 + 94 + 93, 0]);
    expect(upperEdges(layers).at(-1)).toEqual([100 + 99 + 98 + 97 + 96 + 95 + 94 + 93, 0]);
  });

  it('are six at most: a single sixth keeps its name', () => {
    const rows = Array.from({ length: 6 }, (_, index) => row('2026-11-01', `arch${index}`, 1n));
    expect(stack(rows, 'arch', days).map(({ name }) => name)).not.toContain('other');
  });

  it('without layers have no edges', () => {
    expect(upperEdges([])).toEqual([]);
  });
});
