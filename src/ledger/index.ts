export type { KnownValues } from './caps.ts';
export type { Ledger, LedgerStatus } from './contract.ts';
export { openLedger, type LedgerOptions } from './ledger.ts';
export type { Count } from './pending-batch.ts';
