export { formatListen, listenForm, parseHost, parseListen, parsePort, type ListenAddress } from './address.ts';
export type {
  AdapterConfig,
  AddressRuleConfig,
  Config,
  DedupeScope,
  Durability,
  GatewayConfig,
  IdentityConfig,
  IngestConfig,
  KeptDimension,
  LogLevel,
  MeterConfig,
  MetricsConfig,
  OidcConfig,
  PlatformConfig,
  RedisServersConfig,
  RedisStoreConfig,
  RedisTlsConfig,
  ServerAddress,
  StoreConfig,
  UpstreamAuthConfig,
  UpstreamConfig,
  UsageConfig,
  UserConfig,
  UserRight,
} from './config.ts';
export { keptDimensions, userRights } from './config.ts';
export type { Environment } from './environment.ts';
export { configSchema } from './keys.ts';
export { loadConfig, type LoadOptions } from './load.ts';
export { builtInMeterNames, parseEventType, parseMember } from './meters.ts';
export {
  isHostLike,
  parseEmail,
  parseOrganisation,
  parsePasswordHash,
  parseProxyUrl,
  parseUpstreamName,
  proxyUrlForm,
} from './names.ts';
export { printConfig } from './print.ts';
export { ConfigError, formatProblem, quote, type ConfigProblem } from './problems.ts';
export { readConfig, type ConfigDefaults, type ConfigFlags, type ReadOptions } from './read.ts';
export { parseRedisUrl, redisUrlForm } from './redis.ts';
export { Secret } from './secret.ts';
export { nearest } from './suggest.ts';
export { durationForm, formatDuration, formatSize, parseDuration, parseSize } from './units.ts';
