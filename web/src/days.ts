const dayMs = 24 * 60 * 60 * 1000;

/** The day's start in milliseconds, as if its time zone were UTC. */
export function dayStart(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}

/** The day `count` days later, or earlier if `count` is negative. */
export function addDays(day: string, count: number): string {
  return new Date(dayStart(day) + count * dayMs).toISOString().slice(0, 10);
}

/** All days from `from` (inclusive) to `to` (exclusive). */
export function daysBetween(from: string, to: string): string[] {
  const count = Math.round((dayStart(to) - dayStart(from)) / dayMs);
  return Array.from({ length: Math.max(0, count) }, (_, index) => addDays(from, index));
}

const longForm = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' });

/** A day in the browser's language. */
export function formatDay(day: string): string {
  return longForm.format(dayStart(day));
}
