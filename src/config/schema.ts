import { z } from 'zod';
import { limits } from '../base/index.ts';
import { duration, hour, map, nonEmpty, text } from './fields.ts';
import { gateway } from './gateway.ts';
import { ConfigKeys, jsonSchemaOf } from './keys.ts';
import { identity, trustedProxies, users } from './identity.ts';
import { ingest } from './ingest.ts';
import { completeMetrics, listen, metrics } from './listeners.ts';
import * as names from './names.ts';
import type { SourceDrivers } from './source-driver.ts';
import { sourcesOf } from './sources.ts';
import { completeStore, store } from './store.ts';
import { formatDuration } from './units.ts';
import { completeUpstreams, upstreams } from './upstreams.ts';
import { usage } from './usage.ts';

const log = map({
  level: z
    .enum(['debug', 'info', 'warn', 'error'])
    .prefault('info')
    .describe('The log has lines of this severity and above.'),
  access: z.boolean().prefault(false).describe('Whether the log has a line for each request.'),
})
  .prefault({})
  .describe('The log: JSON lines on standard output.');

const keys = {
  listen,
  metrics,
  data: nonEmpty('the name of a directory')
    .prefault('data')
    .describe(
      'Data directory. A relative path in the configuration file is relative to that file, any other one to the working directory.',
    ),
  publicUrl: text(names.publicUrlForm, names.parsePublicUrl)
    .exactOptional()
    .describe(
      'URL at which clients reach this server, if it is behind a proxy. Clients that must log in get it. Default: http:// and the Host of the request.',
    ),
  timeZone: text(names.timeZoneForm, names.parseTimeZone)
    .prefault('UTC')
    .describe('IANA time zone in which days begin. A ledger keeps the time zone in which it first counted.'),
  upstreams,
  gateway,
  store,
  usage,
  ingest,
  users,
  identity,
  trustedProxies,
  log,
  shutdownTimeout: duration(hour)
    .prefault(formatDuration(limits.shutdownMsMax))
    .describe('How long a stopping server waits for requests in flight.'),
};

/**
 * Each key with its type, default and description. Everything else that must know the keys reads them from here:
 * variables, errors, JSON Schema, docs, `config print` and the type `Config`.
 */
function keysWith(drivers: SourceDrivers) {
  return { ...keys, sources: sourcesOf(drivers) };
}

function statedOf(drivers: SourceDrivers) {
  return z.strictObject(keysWith(drivers));
}

function completeOf(drivers: SourceDrivers) {
  return map({
    ...keysWith(drivers),
    metrics: completeMetrics,
    upstreams: completeUpstreams,
    store: completeStore,
  });
}

/** The configuration of a program with certain drivers of sources. */
export interface ConfigModel {
  readonly drivers: SourceDrivers;
  /** The configuration as a file states it. */
  readonly stated: ReturnType<typeof statedOf>;
  /** The configuration once the defaults that depend on other keys are filled in: what the process uses and prints. */
  readonly complete: ReturnType<typeof completeOf>;
  /** The JSON Schema (2020-12) of a configuration file. */
  readonly json: ReturnType<typeof jsonSchemaOf>;
  readonly keys: ConfigKeys;
}

export function createModel(drivers: SourceDrivers): ConfigModel {
  const stated = statedOf(drivers);
  const json = jsonSchemaOf(stated);
  return { drivers, stated, complete: completeOf(drivers), json, keys: new ConfigKeys(json) };
}

export type Parsed = z.output<ConfigModel['stated']>;

/** A valid configuration, frozen to its leaves. Durations are in milliseconds, sizes in bytes. */
export type Config = z.output<ConfigModel['complete']>;
