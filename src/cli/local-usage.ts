import type { Clock } from '../base/index.ts';
import type { Config } from '../config/index.ts';
import {
  canonicalQuery,
  checkRange,
  createCalendar,
  formatCursor,
  incompleteTotals,
  Pseudonyms,
  usageAsJson,
  type Dimension,
  type UsageQuery,
} from '../usage/index.ts';
import { UsageError } from './contract.ts';
import type { UsageSource } from './usage-source.ts';

/**
 * Opens the totals of a configuration in its data directory or Redis; works while a server is running. Rejects with
 * `not_found` if there is no ledger, and with `redis_unavailable`. A page rejects with `ledger_gap` while counts are
 * known to be missing, unless `takesIncomplete`.
 */
export async function openLocalUsage(config: Config, clock: Clock, takesIncomplete = false): Promise<UsageSource> {
  const { openTotals } = await import('../offline.ts');
  const totals = await openTotals(config);
  const calendar = createCalendar(totals.timeZone);
  const { hashKey, plain } = config.usage;
  const key = hashKey === undefined ? totals.hashKey : Buffer.from(hashKey.reveal());
  return {
    timeZone: totals.timeZone,
    async page(query) {
      const today = calendar.dayOf(clock.now());
      checkRange(query, today);
      const { gap } = totals;
      if (gap !== undefined && !takesIncomplete) throw incompleteTotals(gap);
      const counted = await canonicalQuery(query, (each) => totals.query(each, today));
      const found = await totals.query(asStored(counted, key, plain), today);
      const answer = gap === undefined ? found : { ...found, incomplete: true as const };
      const { nextOffset } = answer;
      const next = nextOffset === undefined ? {} : { next: formatCursor(query, nextOffset) };
      return { answer, json: usageAsJson(query, answer), ...next };
    },
    close: () => totals.close(),
  };
}

/** Dimensions that identify people. */
const personal = ['user', 'client'] as const satisfies readonly Dimension[];

/** Replaces plain names of people in a query by the stored pseudonyms. */
function asStored(query: UsageQuery, key: Uint8Array | undefined, plain: readonly Dimension[]): UsageQuery {
  const where: { -readonly [D in Dimension]?: string | null } = { ...query.where };
  for (const name of personal) {
    const value = where[name];
    if (typeof value === 'string' && !plain.includes(name)) where[name] = pseudonymOf(name, value, key);
  }
  return { ...query, where };
}

function pseudonymOf(name: Dimension, value: string, key: Uint8Array | undefined): string {
  if (key !== undefined) return new Pseudonyms(key).of(name, value);
  // A pseudonym is returned unchanged with any key.
  if (new Pseudonyms(Buffer.alloc(0)).of(name, value) === value) return value;
  throw new UsageError(
    `${name}: expected a pseudonym, because the key that hashes names is in the ledger, which is not on this machine: query the ` +
      'server with --url',
  );
}
