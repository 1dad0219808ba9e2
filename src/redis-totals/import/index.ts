export { importWave, type WaveImportProgress, type WaveImportSummary, type WaveMeterSummary } from './import.ts';
export { createWaveRefresh, type WaveRefresh } from './refresh.ts';
export { importWaveFrom } from './open.ts';
export { noticeWave, unknownWaveFields } from './notice.ts';
