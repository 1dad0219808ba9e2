export { createRedisTotals } from './totals.ts';
export { startRedisReader } from './reader.ts';
