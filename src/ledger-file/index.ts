export { createLedgerFile, withLedgerReader } from './care/ledger-file.ts';
export { ledgerApplicationId, ledgerMigrations } from './schema.ts';
export { openSqliteStore, openSqliteTotals, type SqliteStoreOptions } from './store.ts';
export { withTokenTable } from './tokens.ts';
