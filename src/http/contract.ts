import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Clock, Log } from '../base/index.ts';
import type { Principal, Right, TokenDesk } from '../identity/index.ts';
import type { AdapterName, AdapterSettings } from '../ingest/index.ts';
import type { Ledger } from '../ledger/index.ts';
import type { MetricSet } from '../metric/index.ts';
import type { MeterSet } from '../usage/index.ts';

/** The framework's instance with schemas as zod types. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/**
 * Finds out who asks; rejects with `unauthorized` or `forbidden` unless it is somebody with `right`, with `LoginLimited` where
 * they have to wait, and with `identity_unavailable` where nobody can say.
 */
export type Authorise = (request: FastifyRequest, right: Right) => Promise<Principal>;

/** The state of one part: well, or a failure with a public code and with details for principals with the `query` right. */
export type Check = 'ok' | { readonly code: string; readonly detail: string };

/** Whether requests can be served in full, and what each part says. */
export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, Check>>;
}

/** What the routes of the API work with. */
export interface ApiOptions {
  readonly ledger: Ledger;
  readonly meters: MeterSet;
  readonly authorise: Authorise;
  readonly tokens: TokenDesk;
  /** How notifications of registries are read; absent: as they state themselves. */
  readonly adapterSettings?: Readonly<Record<AdapterName, AdapterSettings>>;
  readonly readiness: () => Readiness;
  /** Folder of the built dashboard; absent or empty: the route says how to build it. */
  readonly dashboard?: string;
  readonly version: string;
  readonly metrics: MetricSet;
  readonly clock: Clock;
  readonly log: Log;
}
