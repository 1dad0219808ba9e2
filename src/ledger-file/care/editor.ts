import type { Database, Statement } from '../../sqlite/index.ts';
import type { BatchEditor, LedgerEditor } from '../../store/index.ts';
import { readFacts } from '../facts.ts';
import { keepHere } from '../journal/destination.ts';
import type { MoveRule } from '../journal/erasing.ts';
import { createJournal } from '../journal/journal.ts';
import type { LedgerDatabase } from '../open.ts';
import { createLedgerReader } from './reader.ts';
import { rebuildSql, sumTables } from './sums.ts';

/** Cells moved in one batch. */
const cellsPerBatch = 5_000;

/** Edits a ledger file that is open for writing. */
export function createLedgerEditor(database: Pick<Database, 'read' | 'transact'>): LedgerEditor {
  return {
    ...createLedgerReader(database),
    async rebuildSums() {
      const { detailsFrom } = await readFacts(database);
      await database.transact(sumTables(detailsFrom).flatMap((sumTable) => rebuildSql(sumTable).map(once)));
    },
    keepTotals: async () => void (await database.transact(keepHere)),
    async noteRebuilt(detailsFrom) {
      const { lastBatch, lastToken, ...facts } = await readFacts(database);
      await database.transact([
        { sql: 'update ledger set delivered = ?, gap = null, gap_lasts = 0', rows: [[lastBatch]], changes: 1 },
        {
          sql: 'delete from outbox where (select count(*) from outbox) <> ? - (select min(number) from outbox) + 1',
          rows: [[lastBatch]],
        },
        once('delete from outbox_touch'),
        {
          sql: `insert into outbox_touch (meter, day, number, token) select distinct s.meter, day, ?, ? from account_day
            join series s on s.id = account_day.series where day >= ?`,
          rows: [[lastBatch, lastToken, Math.max(facts.detailsFrom, detailsFrom)]],
        },
      ]);
    },
    async noteTaken(token, at) {
      const sql = 'insert into taken_history (token, at) values (?, ?)';
      await database.transact([{ sql, rows: [[token, Math.trunc(at)]] }]);
    },
  };
}

/** Edits a ledger file, also its batches. `hasOutbox`: the file was opened with an outbox. */
export async function createBatchEditor(database: LedgerDatabase, hasOutbox: boolean): Promise<BatchEditor> {
  const { ledgerId, lastBatch } = await readFacts(database);
  return {
    ...createLedgerEditor(database),
    journal: await createJournal({ database, ledgerId, lastBatch, hasOutbox }),
    async *eraseNames(names, clock) {
      for (const table of ['detail_day', 'account_day'] as const) {
        let after: MoveRule['after'];
        do {
          const rule: MoveRule = { names, table, at: clock.now(), max: cellsPerBatch, ...(after && { after }) };
          const reply = await database.callWriter('eraseMove', rule);
          after = reply.last;
          yield reply.cells;
        } while (after);
      }
      await database.callWriter('eraseSeries', names);
    },
    emptyOutbox: async () => void (await database.transact([once('delete from outbox')])),
  };
}

function once(sql: string): Statement {
  return { sql, rows: [[]] };
}
