import { describe, expect, it } from 'vitest';
import { oneSlotOf, slotOf } from './slot.ts';

describe('the slot of a key', () => {
  it.each([
    ['123456789', 0x31c3],
    ['foo', 12_182],
    ['', 0],
  ])('of %j is %i, as in the specification', (key, slot) => {
    expect(slotOf(key)).toBe(slot % 16_384);
  });

  it.each([
    ['{user1000}.following', 'user1000'],
    ['metrics/v1', '{metrics/v1}:seq'],
    ['foo{}{bar}', 'foo{}{bar}'],
    ['foo{{bar}}zap', '{bar'],
    ['foo{bar}{zap}', 'bar'],
    ['{é}1', 'é'],
  ])('of %j is that of %j', (key, hashed) => {
    expect(slotOf(key)).toBe(slotOf(hashed));
  });

  it('must be the same for all keys of a script', () => {
    expect(oneSlotOf(['{a}1', '{a}2'])).toBe(slotOf('a'));
    expect(() => oneSlotOf(['a', 'b'])).toThrow('BUG: a and b have the same slot');
    expect(() => oneSlotOf([])).toThrow('BUG: a script has at least one key');
  });
});
