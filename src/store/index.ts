export { backupLedger, checkLedger, rebuildLedger, restoreLedger } from './care.ts';
export type { AccountTotal, Batch, Journal, Store, Totals } from './contract.ts';
