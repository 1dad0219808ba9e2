export type { WaveImportProgress, WaveImportSummary, WaveMeterSummary } from './import/index.ts';
export { accountField } from './layout.ts';
