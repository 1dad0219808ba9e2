import { formatDay, parseDay, type Day } from '../../usage/index.ts';
import { seenCellsKey, seenKey } from '../layout.ts';

const dayMs = 86_400_000;

/**
 * The number of days whose claims share a hash. A claim looks an event up in all hashes of the window, so fewer hashes
 * are faster. All instances use the same value, whatever their windows are.
 */
const periodDays = 7;

/**
 * How long claims are kept beyond the deduplication window. An instance that cannot reach Redis may claim its events so
 * many days late, and still finds out whether another instance claimed them first.
 */
const spareDays = 7;

/** One hash of claims. */
export interface Period {
  readonly firstDay: Day;
  readonly seen: string;
  readonly cells: string;
}

/** The periods that may have a claim of an event, oldest first, and the index of the period of `now` (Unix ms). */
export function periodsAt(now: number, dedupeDays: number): { periods: readonly Period[]; current: number } {
  const today = Math.floor(now / dayMs);
  const first = firstDayOf(today - dedupeDays - spareDays);
  const last = firstDayOf(today);
  const periods: Period[] = [];
  // Include the next period: the clock of another instance may be slightly ahead.
  for (let day = first; day <= last + periodDays; day += periodDays) {
    periods.push({ firstDay: day, seen: seenKey(day), cells: seenCellsKey(day) });
  }
  return { periods, current: (last - first) / periodDays };
}

/** The periods of these days (`YYYY-MM-DD`) that no event needs any more. */
export function outdated(days: readonly string[], now: number, dedupeDays: number): readonly Period[] {
  const first = periodsAt(now, dedupeDays).periods[0]?.firstDay ?? -Infinity;
  return days.flatMap((text) => {
    const day = parseDay(text);
    return day !== undefined && day < first ? [{ firstDay: day, seen: seenKey(day), cells: seenCellsKey(day) }] : [];
  });
}

export function dayOf({ firstDay }: Period): string {
  return formatDay(firstDay);
}

function firstDayOf(day: Day): Day {
  return Math.floor(day / periodDays) * periodDays;
}
