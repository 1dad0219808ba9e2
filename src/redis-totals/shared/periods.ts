import { formatDay, parseDay, type Day } from '../../usage/index.ts';
import { seenCellsKey, seenKey } from '../layout.ts';

const dayMs = 86_400_000;

/**
 * Days whose claims share a hash. All of them are looked through for each event: with one for each day there would be 37
 * of them for a window of 35 days, with one for a week there are 8. The same for all instances, whatever their window is.
 */
const periodDays = 7;

/**
 * How much longer than the window of events claims are held: so long may what one instance has taken wait, because Redis is
 * away for it alone, until it asks whether another one had it first.
 */
const spareDays = 7;

/** One hash of claims. */
export interface Period {
  readonly firstDay: Day;
  readonly seen: string;
  readonly cells: string;
}

/** The periods that an event may have been claimed in, oldest first, and which of them is that of `now`. */
export function periodsAt(now: number, dedupeDays: number): { periods: readonly Period[]; current: number } {
  const today = Math.floor(now / dayMs);
  const first = firstDayOf(today - dedupeDays - spareDays);
  const last = firstDayOf(today);
  const periods: Period[] = [];
  // The one after as well: another instance's clock may be a little ahead.
  for (let day = first; day <= last + periodDays; day += periodDays) {
    periods.push({ firstDay: day, seen: seenKey(day), cells: seenCellsKey(day) });
  }
  return { periods, current: (last - first) / periodDays };
}

/** Those of the days (`YYYY-MM-DD`) whose periods no event can ask for any more. */
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
