import type { ReadOnlyDatabase } from '../../sqlite/index.ts';
import type { UsageAnswer } from '../../usage/index.ts';
import type { Totals } from '../../store/index.ts';
import type { TotalsQuestion } from './program.ts';

/** The module that answers beside the file: the same in a checkout (`.ts`) and in an installed package (`.js`). */
const programModule = new URL(`./program${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url)
  .href;

/** The program that a database needs for `createTotals`. */
export const totalsProgram = { module: programModule, options: undefined };

/** Totals read from a ledger file that was opened with `totalsProgram`. */
export function createTotals(database: Pick<ReadOnlyDatabase, 'callReader'>): Totals {
  return {
    async query(query, today) {
      const question: TotalsQuestion = { query, today };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the answer of `query` in program.ts
      return (await database.callReader('query', question)) as UsageAnswer;
    },
  };
}
