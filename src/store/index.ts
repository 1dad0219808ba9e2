export type { Comparison } from './care/compare.ts';
export type { ErasePlan } from './care/erase.ts';
export { assertLedger } from './care/file.ts';
export {
  createLedgerCare,
  type Erased,
  type LedgerCare,
  type LedgerCareOptions,
  type OpenRemote,
} from './care/ledger-care.ts';
export type { Migrated } from './care/migrate.ts';
export type { CareProgress, OnProgress } from './care/remote.ts';
export {
  type AccountTotal,
  type Batch,
  type ClaimRequest,
  type Committed,
  type Delivered,
  type Journal,
  type KeyedEvents,
  type LedgerGap,
  type MeterDay,
  type Outbox,
  type OutboxBatch,
  type OutboxStatus,
  type PendingEvents,
  type ReadTotals,
  type RemoteTotals,
  type SettledClaims,
  type SharedClaims,
  type Store,
  type TokenTable,
  type Totals,
} from './contract.ts';
export type { WaveImportProgress, WaveImportSummary, WaveMeterSummary } from './redis/import/index.ts';
export type { RedisLinkOptions, RedisTls } from './redis/link/index.ts';
export { withTokenTable } from './tokens.ts';
