export { assert, unreachable } from './assert.ts';
export { Closers } from './closers.ts';
export { systemClock, type Clock } from './clock.ts';
export { errorTable, messageOf, TonnageError, type ErrorCode } from './errors.ts';
export { limits } from './limits.ts';
export type { Log } from './log.ts';
export { ForkedHistory, isLoss } from './forked-history.ts';
export { systemRandom, type Random } from './random.ts';
export { Stop } from './stop.ts';
