import { expect, it } from 'vitest';
import { scaled } from '../support/long.ts';

it('a suite that scales has its long count in the long run, and servers that it starts see no setting of it', () => {
  expect(scaled(1, 1_000)).toBe(process.env['TEST_LONG'] === '1' ? 1_000 : 1);
  expect(process.env).not.toHaveProperty('TONNAGE_TEST_LONG');
});
