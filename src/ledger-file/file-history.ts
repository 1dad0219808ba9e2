import type { ReadOnlyDatabase } from '../sqlite/index.ts';
import type { BatchHistory } from '../store/index.ts';
import { batchRecordOf, batchRecordSql, touchedAsOfSql, touchedDayOf } from './journal/batch-history.ts';
import { careRead } from './facts.ts';

/** The history of a ledger file, also while a server runs. */
export function fileHistory(database: Pick<ReadOnlyDatabase, 'read'>): BatchHistory {
  return {
    async lookUp(number) {
      const [row] = await database.read(batchRecordSql, [number, number, number]);
      return batchRecordOf(row);
    },
    async touchedAsOf(day, number) {
      const rows = await database.read(touchedAsOfSql, [day, number, day, number], careRead);
      return rows.map(touchedDayOf);
    },
  };
}
