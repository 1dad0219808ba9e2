export type { ErasePlan } from './erase.ts';
export { createLedgerCare, type Erased, type LedgerCare } from './ledger-care.ts';
export type { Migrated } from './migrate.ts';
