import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseUsageQuery, type UsageAnswer } from '../usage/index.ts';
import { bar, groupThousands, usageAsTable } from './usage-table.ts';

test.each([
  [0n, '0'],
  [999n, '999'],
  [1_000n, '1,000'],
  [1_234_567n, '1,234,567'],
  [9_007_199_254_740_993n, '9,007,199,254,740,993'],
])('%d is written as %s', (value, text) => {
  expect(groupThousands(value)).toBe(text);
});

describe('a bar', () => {
  test.each([
    [8n, 8n, 'blocks', '████████████████████'],
    [4n, 8n, 'blocks', '██████████'],
    [1n, 160n, 'blocks', '▏'],
    [1n, 1_000_000n, 'blocks', '▏'],
    [0n, 8n, 'blocks', ''],
    [8n, 8n, 'ascii', '####################'],
    [1n, 1_000_000n, 'ascii', '#'],
  ] as const)('of %d where the most is %d, in %s', (value, most, style, expected) => {
    expect(bar(value, most, style)).toBe(expected);
  });

  test('never overflows, and a larger value never has a shorter one', () => {
    const property = fc.property(
      fc.bigInt({ min: 1n, max: 2n ** 70n }),
      fc.bigInt({ min: 1n, max: 2n ** 70n }),
      (one, other) => {
        const [less, more] = one < other ? [one, other] : [other, one];
        return (
          bar(less, more, 'blocks').length <= bar(more, more, 'blocks').length &&
          bar(more, more, 'blocks').length === 20
        );
      },
    );
    fc.assert(property);
  });
});

const today = 20_000;
const answer = (rows: UsageAnswer['rows']): UsageAnswer => ({
  from: today,
  to: today + 1,
  rows,
  total: rows.reduce((sum, row) => sum + row.value, 0n),
});

describe('a table', () => {
  test('has aligned columns, a bar for each row, and the total', () => {
    const rows = [
      { dimensions: { org: 'example.org', arch: 'amd64' }, value: 12_345n },
      { dimensions: { org: 'a.io', arch: null }, value: 678n },
    ];
    const table = usageAsTable(parseUsageQuery('pulls', { by: 'org,arch' }), answer(rows), 'UTC', 'ascii');
    expect(table).toBe(
      [
        'pulls from 2024-10-04 until 2024-10-05 (UTC)',
        '',
        'org          arch    pulls',
        'example.org  amd64  12,345  ####################',
        'a.io         -         678  #',
        'total               13,023',
        '',
      ].join('\n'),
    );
  });

  test('of days', () => {
    const rows = [{ from: today, dimensions: {}, value: 1n }];
    expect(usageAsTable(parseUsageQuery('fusion', { by: 'day' }), answer(rows), undefined, 'blocks')).toBe(
      [
        'fusion from 2024-10-04 until 2024-10-05',
        '',
        'from        fusion',
        '2024-10-04       1  ████████████████████',
        'total            1',
        '',
      ].join('\n'),
    );
  });

  test('of a single number', () => {
    const table = usageAsTable(parseUsageQuery('pulls', {}), answer([{ dimensions: {}, value: 5n }]), 'UTC', 'ascii');
    expect(table).toBe('pulls from 2024-10-04 until 2024-10-05 (UTC)\n\npulls\n    5  ####################\n');
  });

  test('of the largest, the others, and how many users each has', () => {
    const rows = [
      { from: today, dimensions: { org: 'a.io', arch: 'amd64' }, value: 9n, distinct: 1_200 },
      { from: today, dimensions: { org: null, arch: null }, value: 3n, distinct: 2, other: true as const },
    ];
    const query = parseUsageQuery('pulls', { by: 'day,org,arch', top: '1', distinct: 'user' });
    expect(usageAsTable(query, { ...answer(rows), folded: ['user'] }, 'UTC', 'ascii')).toBe(
      [
        'pulls from 2024-10-04 until 2024-10-05 (UTC)',
        '',
        'from        org       arch   pulls  users',
        '2024-10-04  a.io      amd64      9  1,200  ####################',
        '2024-10-04  (others)  -          3      2  ######',
        'total                           12',
        '',
        'not distinguished on all days, or beyond the limit of values: user',
        '',
      ].join('\n'),
    );
  });

  test('of nothing', () => {
    expect(usageAsTable(parseUsageQuery('pulls', { by: 'org' }), answer([]), 'UTC', 'ascii')).toBe(
      'pulls from 2024-10-04 until 2024-10-05 (UTC): none\n',
    );
  });

  test('no value can send control characters to the terminal', () => {
    const rows = [{ dimensions: { repository: 'a\u001b[2Jb\r\u202e' }, value: 1n }];
    const table = usageAsTable(parseUsageQuery('pulls', { by: 'repository' }), answer(rows), 'UTC', 'ascii');
    expect(table.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});
