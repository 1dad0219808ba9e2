import { z } from 'zod';
import { limits } from '../base/index.ts';
import { duration, hour, map, nonEmpty, text } from './fields.ts';
import { gateway } from './gateway.ts';
import { identity, trustedProxies, users } from './identity.ts';
import { ingest } from './ingest.ts';
import { completeMetrics, listen, metrics } from './listeners.ts';
import * as names from './names.ts';
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
 * The configuration as a file states it: each key with its type, default and description. Everything else that must
 * know the keys reads them from here: variables, errors, JSON Schema, docs, `config print` and the type `Config`.
 */
export const schema = z.strictObject(keys);

export type Parsed = z.output<typeof schema>;

/** The configuration once the defaults that depend on other keys are filled in: what the process uses and prints. */
export const completeSchema = map({
  ...keys,
  metrics: completeMetrics,
  upstreams: completeUpstreams,
  store: completeStore,
});

/** A valid configuration, frozen to its leaves. Durations are in milliseconds, sizes in bytes. */
export type Config = z.output<typeof completeSchema>;
