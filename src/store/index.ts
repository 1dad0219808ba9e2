export type { AccountTotal, Batch, Journal, Store, Totals } from './contract.ts';
