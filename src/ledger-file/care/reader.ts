import type { ReadOnlyDatabase } from '../../sqlite/index.ts';
import type { LedgerReader } from '../../store/index.ts';
import { careRead, readFacts } from '../facts.ts';
import { batchRecordOf, batchRecordSql, touchedAsOfSql, touchedDayOf } from '../journal/batch-history.ts';
import { delivers } from '../journal/destination.ts';
import { ledgerMigrations } from '../schema.ts';
import { countNamed, fileCounts } from './counts.ts';

/** Reads an open ledger file. */
export function createLedgerReader(database: Pick<ReadOnlyDatabase, 'read'>): LedgerReader {
  const readNumber = async (sql: string): Promise<number> => Number((await database.read(sql))[0]?.[0]);
  return {
    history: {
      lookUp: async (number) => batchRecordOf((await database.read(batchRecordSql, [number, number, number]))[0]),
      async touchedAsOf(day, number) {
        const rows = await database.read(touchedAsOfSql, [day, number, day, number], careRead);
        return rows.map(touchedDayOf);
      },
    },
    async identity() {
      const [row] = await database.read('select time_zone, hash_key from ledger');
      if (!row) return undefined;
      const [timeZone, hashKey] = row;
      return { timeZone: String(timeZone), ...(hashKey instanceof Uint8Array && { hashKey }) };
    },
    schema: async () => ({ version: await readNumber('pragma user_version'), current: ledgerMigrations.length }),
    facts: () => readFacts(database),
    delivers: () => delivers(database),
    counts: (meters) => fileCounts(database, meters),
    countNamed: (names) => countNamed(database, names),
    undelivered: () => readNumber('select count(*) from outbox where number > (select delivered from ledger)'),
    pendingEvents: () => readNumber('select coalesce(sum(events), 0) from pending_claim'),
    hasTaken: async (token) => (await database.read('select 1 from taken_history where token = ?', [token])).length > 0,
  };
}
