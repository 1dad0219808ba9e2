import { monthOf, type Day, type Window } from '../../usage/index.ts';

/** What one ledger has counted for a meter in one day or month. */
export interface OwnPeriod {
  readonly ledgerId: string;
  /** The day, or the first day of the month. */
  readonly first: Day;
}

/** Where the parts of a range are read. */
export interface Plan {
  /** Days on which somebody else has counted too: the fields of Wave's hash are read. */
  readonly foreign: readonly Day[];
  readonly months: readonly OwnPeriod[];
  readonly days: readonly OwnPeriod[];
}

export interface PlanOptions {
  readonly from: Day;
  readonly to: Day;
  readonly window: Window;
  /** The days of each ledger, in any order. */
  readonly own: ReadonlyMap<string, readonly Day[]>;
  readonly foreign: ReadonlySet<Day>;
}

/**
 * A ledger's month is read as one where all its days of that month lie in the range and none of the month is foreign:
 * then the month is the sum of those days. Otherwise, and for a window of days, its days are read.
 */
export function planOf({ from, to, window, own, foreign }: PlanOptions): Plan {
  const isAsked = (day: Day): boolean => day >= from && day < to;
  const foreignMonths = new Set([...foreign].map(monthOf));
  const months: OwnPeriod[] = [];
  const days: OwnPeriod[] = [];
  for (const [ledgerId, all] of own) {
    for (const [month, ofMonth] of Map.groupBy(all, monthOf)) {
      if (window !== 'day' && !foreignMonths.has(month) && ofMonth.every(isAsked)) {
        months.push({ ledgerId, first: month });
        continue;
      }
      const asked = ofMonth.filter((day) => isAsked(day) && !foreign.has(day));
      days.push(...asked.map((first) => ({ ledgerId, first })));
    }
  }
  return { foreign: [...foreign].filter(isAsked).toSorted((a, b) => a - b), months, days };
}
