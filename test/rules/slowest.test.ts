import { expect, it } from 'vitest';
import { slowestLines } from '../../scripts/test/slowest.ts';

it('lists the ten slowest test files, the slowest first', () => {
  const times = Array.from({ length: 12 }, (_, index) => ({ file: `test/${index}.test.ts`, seconds: index * 9.5 }));
  const lines = slowestLines(times);
  expect(lines).toHaveLength(10);
  expect(lines.slice(0, 2)).toEqual(['  104.5 s  test/11.test.ts', '   95.0 s  test/10.test.ts']);
  expect(lines.at(-1)).toBe('   19.0 s  test/2.test.ts');
});
