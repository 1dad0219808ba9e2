import { expect, test } from 'vitest';
import { parseDay } from '../../usage/index.ts';
import { planOf } from './plan.ts';

const day = (text: string): number => parseDay(text) ?? Number.NaN;
const own = new Map([
  ['one', ['2026-01-30', '2026-01-31', '2026-02-01', '2026-02-28'].map(day)],
  ['two', ['2026-02-28', '2026-03-01'].map(day)],
]);
const year = {
  from: day('2026-01-01'),
  to: day('2027-01-01'),
  window: 'total',
  own,
  foreign: new Set<number>(),
} as const;
const one = (text: string) => ({ ledgerId: 'one', first: day(text) });
const two = (text: string) => ({ ledgerId: 'two', first: day(text) });

test('whole months of each ledger are read from the hashes of months', () => {
  expect(planOf(year)).toEqual({
    foreign: [],
    months: [one('2026-01-01'), one('2026-02-01'), two('2026-02-01'), two('2026-03-01')],
    days: [],
  });
});

test('a partial month is read from the hash of the month if the range includes all days with counts', () => {
  expect(planOf({ ...year, from: day('2026-01-31'), to: day('2026-03-02') })).toEqual({
    foreign: [],
    months: [one('2026-02-01'), two('2026-02-01'), two('2026-03-01')],
    days: [one('2026-01-31')],
  });
});

test("a foreign day is read from Wave's fields, and the other days of its month from the hashes of days", () => {
  expect(planOf({ ...year, foreign: new Set([day('2026-02-28'), day('2027-05-05')]) })).toEqual({
    foreign: [day('2026-02-28')],
    months: [one('2026-01-01'), two('2026-03-01')],
    days: [one('2026-02-01')],
  });
});

test('the window `day` reads the hashes of days', () => {
  const { months, days } = planOf({ ...year, window: 'day', to: day('2026-02-28') });
  expect(months).toEqual([]);
  expect(days).toEqual([one('2026-01-30'), one('2026-01-31'), one('2026-02-01')]);
});
