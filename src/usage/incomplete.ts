import { TonnageError } from '../base/index.ts';
import { refused } from './refused.ts';

/** The error that answers a question while counts are known to be missing. `gap`: which, why, and what helps. */
export function incompleteTotals(gap: string): TonnageError {
  return new TonnageError(
    'ledger_gap',
    `totals are incomplete: ${gap}; ?incomplete=allow (--incomplete) answers anyway`,
  );
}

/** Whether the parameter `incomplete` takes incomplete totals. Throws `bad_request` for anything but `allow`. */
export function parseIncomplete(value: string | undefined): boolean {
  if (value === undefined) return false;
  if (value !== 'allow') throw refused('incomplete', 'allow', value);
  return true;
}
