const dayMs = 24 * 60 * 60 * 1000;

/** Milliseconds of the day's start, as if its zone were UTC: days are names here, not moments. */
export function dayStart(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}

/** The day that many days later, or earlier where `count` is negative. */
export function addDays(day: string, count: number): string {
  return new Date(dayStart(day) + count * dayMs).toISOString().slice(0, 10);
}

/** Every day from `from` up to, and without, `to`. */
export function daysBetween(from: string, to: string): string[] {
  const count = Math.round((dayStart(to) - dayStart(from)) / dayMs);
  return Array.from({ length: Math.max(0, count) }, (_, index) => addDays(from, index));
}

const longForm = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' });

/** A day as people of this browser's language write it. */
export function formatDay(day: string): string {
  return longForm.format(dayStart(day));
}
