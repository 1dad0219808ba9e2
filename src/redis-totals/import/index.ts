export { importWave } from './import.ts';
export { createWaveRefresh, type WaveRefresh } from './refresh.ts';
export { importWaveFrom } from './open.ts';
export { noticeWave, unknownWaveFields } from './notice.ts';
