import { monthOf, nextMonthOf, type Day, type Window } from '../../usage/index.ts';

/** A part of a range: the values of a month or a day, and whether to add (1) or subtract (-1) them. */
export interface Period {
  readonly unit: 'month' | 'day';
  readonly day: Day;
  readonly sign: 1 | -1;
}

export interface PeriodOptions {
  readonly from: Day;
  readonly to: Day;
  readonly window: Window;
  /** The first and the last day with counts. */
  readonly first: Day;
  readonly last: Day;
}

/**
 * Divides the days from `from` to `to` (exclusive) into as few periods as possible. If the range contains all of a
 * month's days that have counts, the month is one period. Otherwise the periods are the month's days in the range, or
 * the month minus its other days, whichever are fewer.
 */
export function periodsOf({ from, to, window, first, last }: PeriodOptions): readonly Period[] {
  const start = Math.max(from, first);
  const end = Math.min(to, last + 1);
  if (window === 'day') return daysOf(start, end, 1);
  const periods: Period[] = [];
  for (let month = monthOf(start); month < end; month = nextMonthOf(month)) {
    const next = nextMonthOf(month);
    const [before, inside, after] = [
      daysOf(Math.max(month, first), start, -1),
      daysOf(Math.max(start, month), Math.min(end, next), 1),
      daysOf(end, Math.min(next, last + 1), -1),
    ];
    if (1 + before.length + after.length > inside.length) periods.push(...inside);
    else periods.push({ unit: 'month', day: month, sign: 1 }, ...before, ...after);
  }
  return periods;
}

function daysOf(from: Day, to: Day, sign: 1 | -1): readonly Period[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => ({ unit: 'day', day: from + index, sign }));
}
