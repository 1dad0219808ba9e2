import type { Clock } from '../base/index.ts';
import { createCalendar, usageAsJson } from '../usage/index.ts';
import type { UsageSource } from './usage-source.ts';

/**
 * Totals straight from a data directory, also while a server is running there. Throws `not_found` when nothing has been
 * counted in it yet.
 */
export async function openLocalUsage(data: string, clock: Clock): Promise<UsageSource> {
  const { openTotals } = await import('../app.ts');
  const totals = await openTotals(data);
  const calendar = createCalendar(totals.timeZone);
  return {
    timeZone: totals.timeZone,
    async page(query) {
      const answer = await totals.query(query, calendar.dayOf(clock.now()));
      return { answer, json: usageAsJson(query, answer) };
    },
    close: () => totals.close(),
  };
}
