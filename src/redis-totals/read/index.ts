export { createRedisTotals, type RedisTotalsOptions } from './totals.ts';
export { startRedisReader, type RedisReaderOptions } from './reader.ts';
