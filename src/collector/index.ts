export { CollectorSet } from './collector-set.ts';
export type { CreateSources, ScheduledSource, SourceParts } from './contract.ts';
export { sourceErrorClasses } from './source-error.ts';
export type { SourcePage } from './source-page.ts';
export type { SourceStatus } from './source-state.ts';
