import type { ReadOnlyDatabase } from '../../sqlite/index.ts';
import type { Totals } from '../../store/index.ts';
import type { ReaderFunctions } from './program.ts';

/** Totals read from an open ledger file. */
export function createTotals(database: Pick<ReadOnlyDatabase<ReaderFunctions>, 'callReader'>): Totals {
  return { query: (query, today) => database.callReader('query', { query, today }) };
}
