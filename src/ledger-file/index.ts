export {
  assertLedger,
  careRead,
  hasIdentity,
  type LedgerFacts,
  openLedgerFile,
  readFacts,
  withLedgerFile,
} from './facts.ts';
export { fileHistory } from './file-history.ts';
export { delivers, keepHere } from './journal/destination.ts';
export { type MoveReply, type MoveRule } from './journal/erasing.ts';
export { createJournal } from './journal/journal.ts';
export { type StoredKeyHash } from './journal/stored-key-hash.ts';
export { openOutbox } from './journal/outbox.ts';
export { decodeRun, type Run, tombstoneEntry } from './journal/run-codec.ts';
export { nextSeriesId, valuesOf } from './journal/series-ids.ts';
export { ledgerFile, openLedgerReadOnly } from './open.ts';
export { ledgerApplicationId, ledgerMigrations } from './schema.ts';
export { withTokenTable } from './tokens.ts';
export { openSqliteStore, openSqliteTotals, type SqliteStore, type SqliteStoreOptions } from './store.ts';
