export { backupLedger, checkLedger, rebuildLedger, restoreLedger } from './care.ts';
export {
  outcome,
  voidCell,
  type AccountTotal,
  type Batch,
  type Committed,
  type Delivered,
  type Journal,
  type KeyedEvents,
  type MeterDay,
  type Outbox,
  type OutboxBatch,
  type OutboxStatus,
  type RemoteTotals,
  type Store,
  type Totals,
} from './contract.ts';
export type { WaveImportProgress, WaveImportSummary, WaveMeterSummary } from './redis/import/index.ts';
