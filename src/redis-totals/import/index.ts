export { importWave } from './import.ts';
export { WaveRefresh } from './refresh.ts';
export { importWaveFrom } from './open.ts';
export { noticeWave, unknownWaveFields } from './notice.ts';
