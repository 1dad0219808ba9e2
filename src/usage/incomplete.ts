import { TonnageError } from '../base/index.ts';
import { refused } from './refused.ts';

/** The error for a query while counts are known to be missing. `gap`: what is missing, why, and the remedy. */
export function incompleteTotals(gap: string): TonnageError {
  return new TonnageError(
    'ledger_gap',
    `totals are incomplete: ${gap}; to get them anyway, use ?incomplete=allow (--incomplete)`,
  );
}

/** Whether the parameter `incomplete` accepts incomplete totals. Throws `bad_request` unless it is `allow`. */
export function parseIncomplete(value: string | undefined): boolean {
  if (value === undefined) return false;
  if (value !== 'allow') throw refused('incomplete', 'allow', value);
  return true;
}
