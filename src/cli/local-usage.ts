import type { Clock } from '../base/index.ts';
import type { Config } from '../config/index.ts';
import { createCalendar, usageAsJson } from '../usage/index.ts';
import type { UsageSource } from './usage-source.ts';

/**
 * Totals straight from where a configuration keeps them, its data directory or Redis, also while a server is running. Throws
 * `not_found` when nothing has been counted in the directory yet, `redis_unavailable` when Redis does not answer.
 */
export async function openLocalUsage(config: Config, clock: Clock): Promise<UsageSource> {
  const { openTotals } = await import('../app.ts');
  const totals = await openTotals(config);
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
