/** A civil day as the number of days since 1970-01-01, in the ledger's time zone. */
export type Day = number;

const dayMs = 86_400_000;

let formatted = { day: 0, text: '1970-01-01' };

/** Formats a day as `YYYY-MM-DD`. Caches the last result, because thousands of consecutive cells have the same day. */
export function formatDay(day: Day): string {
  if (formatted.day !== day) formatted = { day, text: new Date(day * dayMs).toISOString().slice(0, 10) };
  return formatted.text;
}

/** Parses `YYYY-MM-DD` (RFC 3339 full-date, years 0001 to 9999). `undefined` for anything else, such as 2026-02-30. */
export function parseDay(text: string): Day | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const day = Date.parse(`${text}T00:00:00Z`) / dayMs;
  return Number.isInteger(day) && formatDay(day) === text && !text.startsWith('0000') ? day : undefined;
}

/** The first day of the month of `day`. */
export function monthOf(day: Day): Day {
  const date = new Date(day * dayMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) / dayMs;
}

/** The first day of the month after that of `day`. */
export function nextMonthOf(day: Day): Day {
  const date = new Date(day * dayMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) / dayMs;
}

/** Converts times (milliseconds since the Unix epoch) to civil days in one time zone. */
export interface Calendar {
  readonly timeZone: string;
  dayOf(time: number): Day;
}

/** A day, and its start and exclusive end in milliseconds since the Unix epoch. */
interface KnownDay {
  readonly day: Day;
  readonly from: number;
  readonly to: number;
}

/** The most UTC days in the cache of a calendar. A full cache is cleared. */
const cachedDaysMax = 512;

/**
 * A calendar for an IANA time zone. Throws a RangeError if the zone does not exist. Caches the bounds of days, because
 * finding them takes a tenth of a millisecond and events of several weeks may arrive mixed.
 */
export function createCalendar(timeZone: string): Calendar {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
  });
  let current: KnownDay = { day: 0, from: 0, to: 0 };
  /** By UTC day, which overlaps two or three days of the zone. */
  const cached = new Map<number, KnownDay[]>();

  function lookUp(time: number): Day {
    const part = { year: 0, month: 0, day: 0 };
    for (const { type, value } of format.formatToParts(time)) {
      if (type === 'year' || type === 'month' || type === 'day') part[type] = Number(value);
    }
    return Date.UTC(part.year, part.month - 1, part.day) / dayMs;
  }

  function find(time: number): KnownDay {
    const utcDay = Math.floor(time / dayMs);
    const known = cached.get(utcDay) ?? [];
    const found = known.find(({ from, to }) => time >= from && time < to);
    if (found) return found;
    const day = lookUp(time);
    const added = { day, from: edge(lookUp, day, time, -1), to: edge(lookUp, day, time, 1) };
    if (cached.size >= cachedDaysMax) cached.clear();
    cached.set(utcDay, [...known, added]);
    return added;
  }

  return {
    timeZone,
    dayOf(time) {
      if (time < current.from || time >= current.to) current = find(time);
      return current.day;
    },
  };
}

/**
 * The first millisecond of `day` (`direction` -1) or the first one after it (1). Found by bisection from `time`, which
 * is in `day`, because a day may have 23 or 25 hours or begin at 01:00.
 */
function edge(lookUp: (time: number) => Day, day: Day, time: number, direction: -1 | 1): number {
  let inside = Math.trunc(time);
  let outside = inside + direction * 2 * dayMs;
  while (Math.abs(outside - inside) > 1) {
    const middle = Math.trunc((inside + outside) / 2);
    if (lookUp(middle) === day) inside = middle;
    else outside = middle;
  }
  return direction === 1 ? outside : inside;
}
