export { backupLedger, restoreLedger } from './care/backup.ts';
export { checkLedger } from './care/check.ts';
export { rebuildLedger } from './care/rebuild.ts';
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
export type { RedisLinkOptions, RedisTls } from './redis/link/index.ts';
