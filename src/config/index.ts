export {
  formatListen,
  listenForm,
  parseHost,
  parseListen,
  parsePort,
  type ListenAddress,
  type ServerAddress,
} from './address.ts';
export type { Environment } from './environment.ts';
export { userRights } from './identity.ts';
export { configSchema } from './keys.ts';
export { loadConfig, type LoadOptions } from './load.ts';
export { builtInMeterNames, parseEventType, parseMember } from './meters.ts';
export { isHostLike, parseProxyUrl, parseUpstreamName, proxyUrlForm } from './names.ts';
export { printConfig } from './print.ts';
export { ConfigError, formatProblem, quote, type ConfigProblem } from './problems.ts';
export { readConfig, type ConfigDefaults, type ConfigFlags, type ReadOptions } from './read.ts';
export { parseRedisUrl, redisUrlForm } from './redis.ts';
export type { Config } from './schema.ts';
export { Secret } from './secret.ts';
export { redisServersOf, type RedisServers, type RedisStoreConfig, type StoreConfig } from './store.ts';
export { nearest } from './suggest.ts';
export { durationForm, formatDuration, formatSize, parseDuration, parseSize } from './units.ts';
export type { UpstreamConfig } from './upstreams.ts';
export { keptDimensions } from './usage.ts';
export { oneOf } from './validate.ts';
