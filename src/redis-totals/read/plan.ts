import { monthOf, type Day, type Window } from '../../usage/index.ts';

/** One day or month of one ledger. */
export interface OwnPeriod {
  readonly ledgerId: string;
  /** The day, or the first day of the month. */
  readonly first: Day;
}

/** From which hashes to read the parts of a range. */
export interface Plan {
  /** Days with counts that no ledger has made. Read them from the fields of Wave's hash. */
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
 * Plans the reads of a range. A ledger's month is read from the hash of the month if the month has no foreign day and
 * the range includes all of the ledger's days in it: the hash is then the sum of these days. Otherwise, and for the
 * window `day`, the ledger's days are read.
 */
export function planOf({ from, to, window, own, foreign }: PlanOptions): Plan {
  const isInRange = (day: Day): boolean => day >= from && day < to;
  const foreignMonths = new Set([...foreign].map(monthOf));
  const months: OwnPeriod[] = [];
  const days: OwnPeriod[] = [];
  for (const [ledgerId, all] of own) {
    for (const [month, ofMonth] of Map.groupBy(all, monthOf)) {
      if (window !== 'day' && !foreignMonths.has(month) && ofMonth.every(isInRange)) {
        months.push({ ledgerId, first: month });
        continue;
      }
      const wanted = ofMonth.filter((day) => isInRange(day) && !foreign.has(day));
      days.push(...wanted.map((first) => ({ ledgerId, first })));
    }
  }
  return { foreign: [...foreign].filter(isInRange).toSorted((a, b) => a - b), months, days };
}
