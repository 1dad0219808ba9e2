export { checkLedger } from './check.ts';
export type { ErasePlan } from './erase.ts';
export { createLedgerCare, type Erased, type LedgerCare, type OpenRemote } from './ledger-care.ts';
export type { Migrated } from './migrate.ts';
