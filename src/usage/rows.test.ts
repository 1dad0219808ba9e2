import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDay } from './index.ts';
import { compareTexts, foldedDimensions, RowSums, type RowsQuery } from './rows.ts';

const day = (text: string): number => parseDay(text) ?? Number.NaN;
const question = { window: 'total', by: ['org'], where: {}, limit: 10, offset: 0 } as const;

function sumsOf(query: RowsQuery): RowSums {
  const sums = new RowSums(query);
  const cells = [
    ['2026-01-31', 'a.org', 'amd64', 5],
    ['2026-01-01', 'b.org', 'amd64', 2],
    ['2026-02-01', 'b.org', null, 3n],
    ['2026-02-01', null, 'arm64', 7],
    ['2026-02-02', 'gone.org', null, 4],
    ['2026-02-03', 'gone.org', null, -4],
  ] as const;
  for (const [date, org, arch, amount] of cells) {
    sums.add(sums.windowOf(day(date)), sums.groupOf({ org, arch }), amount);
  }
  return sums;
}

describe('rows made of cells', () => {
  test('the largest come first, equal ones by name and what has none before; rows of 0 are left out', () => {
    expect(sumsOf(question).page()).toEqual({
      rows: [
        { dimensions: { org: null }, value: 7n },
        { dimensions: { org: 'a.org' }, value: 5n },
        { dimensions: { org: 'b.org' }, value: 5n },
      ],
      total: 17n,
    });
  });

  test('months come in their order, each with its first day', () => {
    expect(sumsOf({ ...question, window: 'month', by: [] }).page()).toEqual({
      rows: [
        { from: day('2026-01-01'), dimensions: {}, value: 7n },
        { from: day('2026-02-01'), dimensions: {}, value: 10n },
      ],
      total: 17n,
    });
  });

  test('a filter takes a value, or what has none', () => {
    expect(sumsOf({ ...question, where: { org: 'b.org' }, by: ['arch'] }).page().rows).toEqual([
      { dimensions: { arch: null }, value: 3n },
      { dimensions: { arch: 'amd64' }, value: 2n },
    ]);
    expect(sumsOf({ ...question, where: { org: null } }).page()).toEqual({
      rows: [{ dimensions: { org: null }, value: 7n }],
      total: 7n,
    });
  });

  test.each([
    [0, 2, 2, 2],
    [2, 2, 2, undefined],
    [1, 3, 3, undefined],
    [3, 1, 1, undefined],
    [4, 1, 0, undefined],
  ])('the page of offset %i and limit %i over two windows has %i rows', (offset, limit, length, nextOffset) => {
    const window = { ...question, window: 'month', limit: 10, offset: 0 } as const;
    const whole = sumsOf(window).page();
    const page = sumsOf({ ...window, offset, limit }).page();
    expect(page.rows).toEqual(whole.rows.slice(offset, offset + limit));
    expect(page.rows).toHaveLength(length);
    expect(page.total).toBe(17n);
    expect(page.nextOffset).toBe(nextOffset);
  });

  test('of each window the largest stay, and what the others sum to comes last', () => {
    const window = { ...question, window: 'month', top: 1 } as const;
    const whole = sumsOf(window).page();
    expect(whole.rows).toEqual([
      { from: day('2026-01-01'), dimensions: { org: 'a.org' }, value: 5n },
      { from: day('2026-01-01'), dimensions: { org: null }, value: 2n, other: true },
      { from: day('2026-02-01'), dimensions: { org: null }, value: 7n },
      { from: day('2026-02-01'), dimensions: { org: null }, value: 3n, other: true },
    ]);
    expect(whole.total).toBe(17n);
    const pages = [0, 1, 2, 3, 4].map((offset) => sumsOf({ ...window, limit: 1, offset }).page());
    expect(pages.flatMap(({ rows }) => rows)).toEqual(whole.rows);
    expect(pages.map(({ nextOffset }) => nextOffset)).toEqual([1, 2, 3, undefined, undefined]);
  });

  test('as many as there are, or more, leave no others', () => {
    expect(sumsOf({ ...question, top: 3 }).page()).toEqual(sumsOf(question).page());
    expect(sumsOf({ ...question, top: 4 }).page()).toEqual(sumsOf(question).page());
  });

  test('a value whose events were taken back is none of the different ones', () => {
    const sums = new RowSums({ ...question, by: [], distinct: 'user' });
    const window = sums.windowOf(0);
    for (const [user, amount] of [
      ['a', 2],
      ['b', 3],
      ['b', -3],
    ] as const) {
      sums.add(window, sums.groupOf({ user }), amount);
    }
    expect(sums.page().rows).toEqual([{ dimensions: {}, value: 2n, distinct: 1 }]);
    expect(sums.capped).toEqual([]);
  });

  test('sums beyond what a double can hold are exact', () => {
    const sums = new RowSums(question);
    const group = sums.groupOf({ org: 'a.org' });
    const window = sums.windowOf(0);
    for (const amount of [Number.MAX_SAFE_INTEGER, 1, 1, 2n ** 62n, 3]) sums.add(window, group, amount);
    expect(sums.page().total).toBe(2n ** 53n + 1n + 2n ** 62n + 3n);
  });
});

test('folded are the dimensions of days without details, and those with a value that stands for many', () => {
  const rows = [{ dimensions: { org: '__other__', arch: 'amd64', tag: null }, value: 1n }];
  expect(foldedDimensions({ by: ['tag', 'arch', 'org'] }, rows, [])).toEqual(['org']);
  expect(foldedDimensions({ by: ['tag', 'arch', 'org'] }, rows, ['user', 'tag'])).toEqual(['org', 'tag', 'user']);
  expect(foldedDimensions({ by: ['tag'] }, rows, [], ['user'])).toEqual(['user']);
});

test('texts are in the order of their bytes in UTF-8', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 4 }),
    fc.constantFrom('\u{ffff}', '\u{e000}', '\u{10000}', '\u{d7ff}', ''),
  );
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareTexts(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
  expect(compareTexts(null, '')).toBeLessThan(0);
  expect(compareTexts('', null)).toBeGreaterThan(0);
});
