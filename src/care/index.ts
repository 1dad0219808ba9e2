export { checkLedger } from './check.ts';
export type { Comparison } from './compare.ts';
export type { ErasePlan } from './erase.ts';
export {
  createLedgerCare,
  type Erased,
  type LedgerCare,
  type LedgerCareOptions,
  type OpenRemote,
} from './ledger-care.ts';
export type { Migrated } from './migrate.ts';
