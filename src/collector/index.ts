export { CollectorSet, type CollectorSetOptions } from './collector-set.ts';
export type {
  Collected,
  Collector,
  InstantCollector,
  Reading,
  ScheduledSource,
  ScrapedSource,
  SourceOptions,
} from './contract.ts';
export { SourceError, sourceErrorClasses, type SourceErrorClass } from './source-error.ts';
export type { SourceStatus } from './source-state.ts';
