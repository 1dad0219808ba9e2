import { limits } from '../base/index.ts';

export const firstPauseMs = 100;

/** The pause before the next attempt after `failures` failed ones, in milliseconds: it doubles, up to `mostMs`. */
export function retryPauseMs(failures: number, mostMs: number = limits.commitRetryMsMax): number {
  return Math.min(firstPauseMs * 2 ** (failures - 1), mostMs);
}
