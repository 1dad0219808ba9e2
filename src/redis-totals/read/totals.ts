import type { Clock } from '../../base/index.ts';
import { detailsIn, foldedDimensions, type Day, type UsageAnswer, type UsageQuery } from '../../usage/index.ts';
import type { Totals } from '../../store/index.ts';
import type { RedisLink } from '../../redis-link/index.ts';
import { accountRows, allTimeRows, type RangedQuery } from './accounts.ts';
import { withDeadline } from './deadline.ts';
import { detailRows } from './details.ts';
import { Reads } from './reads.ts';
import { isWaveMeter, readScope, type Scope } from './scope.ts';

export interface RedisTotalsOptions {
  readonly link: Pick<RedisLink, 'pipeline'>;
  readonly clock: Clock;
  /**
   * `store.besideWave`: Wave still writes to the same hash. The current day is then read from that hash, and answers
   * have `indexedAt`.
   */
  readonly besideWave?: boolean;
  /** Returns the first day whose details are kept now. Without it, all details are read. */
  readonly detailsFrom?: () => Day;
}

/**
 * Queries totals in Redis: the counts of all ledgers and of Wave. Never scans all keys or all fields of Wave's hash.
 * Rejects with `query_deadline`, with `query_too_large`, with the link's errors (`redis_unavailable` if Redis is
 * unreachable), and with `store_invalid` if a count is not an integer.
 */
export function createRedisTotals({ link, clock, besideWave = false, detailsFrom }: RedisTotalsOptions): Totals {
  async function answer(reads: Reads, query: UsageQuery, today: Day): Promise<UsageAnswer> {
    const found = await readScope(reads, query.meter);
    const waveWrites = besideWave && isWaveMeter(query.meter);
    const scope = waveWrites ? { ...found, foreign: new Set([...found.foreign, today]) } : found;
    const { from, to } = rangeOf(query, scope, today);
    const ranged = { ...query, from, to };
    const details = detailsIn(query);
    const kept = detailsFrom?.() ?? -Infinity;
    const { sums, gone } = await rowsOf(reads, ranged, scope, details.length > 0, kept);
    const page = sums.page();
    const folded = foldedDimensions(query, page.rows, gone || from < kept ? details : [], sums.capped);
    return {
      from,
      to,
      ...page,
      ...(folded.length > 0 && { folded }),
      ...(waveWrites && found.indexedAt !== undefined && { indexedAt: found.indexedAt }),
    };
  }

  return {
    query: (query, today) => withDeadline(clock, (deadline) => answer(new Reads(link, deadline), query, today)),
  };
}

async function rowsOf(reads: Reads, query: RangedQuery, scope: Scope, needsDetails: boolean, detailsFrom: Day) {
  if (needsDetails) return detailRows(reads, query, scope, detailsFrom);
  const sums = query.allTime ? await allTimeRows(reads, query) : await accountRows(reads, query, scope);
  return { sums, gone: false };
}

function rangeOf(
  { from, to, allTime }: UsageQuery,
  scope: Scope,
  today: Day,
): { readonly from: Day; readonly to: Day } {
  const tomorrow = today + 1;
  const end = allTime ? Math.max(tomorrow, (scope.last ?? today) + 1) : (to ?? tomorrow);
  return { from: from ?? Math.min(scope.first ?? today, end), to: end };
}
