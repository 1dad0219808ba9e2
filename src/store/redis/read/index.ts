export { createRedisTotals, type RedisTotalsOptions } from './totals.ts';
