import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Clock, Log } from '../base/index.ts';
import type { SourceStatus } from '../collector/index.ts';
import type { Principal, Right, TokenManager } from '../identity/index.ts';
import type { AdapterName, AdapterSettings } from '../ingest/index.ts';
import type { Ledger } from '../ledger/index.ts';
import type { MetricSet } from '../metric/index.ts';
import type { MeterSet } from '../usage/index.ts';
import type { Page, PageAccess } from './pages/page.ts';

/** A Fastify instance whose schemas are zod types. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/**
 * Authenticates a request and requires `right`. Rejects with `unauthorized` or `forbidden`, with `LoginLimited` after
 * too many failed logins, and with `identity_unavailable` while the identity provider is unavailable.
 */
export type Authorise = (request: FastifyRequest, right: Right) => Promise<Principal>;

/**
 * Authenticates a request for a page. Resolves with `undefined` for a client without credentials that may read a public
 * page only. Rejects as `Authorise`: with `unauthorized` for wrong credentials, also if the page is public.
 */
export type AuthorisePage = (request: FastifyRequest, access: PageAccess) => Promise<Principal | undefined>;

/** The state of one part. `code` is public; `detail` is for principals with the `query` right. */
export type Check = 'ok' | { readonly code: string; readonly detail: string };

/** Whether this server can take requests, and the state of each part. */
export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, Check>>;
}

export interface ApiOptions {
  readonly ledger: Ledger;
  readonly meters: MeterSet;
  readonly authorise: Authorise;
  readonly authorisePage: AuthorisePage;
  /** Pages of sources, with unique paths. */
  readonly pages: readonly Page[];
  readonly tokens: TokenManager;
  /** Settings of the notification adapters by name. Default: the adapters' own defaults. */
  readonly adapterSettings?: Readonly<Record<AdapterName, AdapterSettings>>;
  /** The status of each source. */
  readonly sources: () => readonly SourceStatus[];
  readonly readiness: () => Readiness;
  /** Folder of the built dashboard. If it is absent or empty, `/` answers how to build it. */
  readonly dashboard?: string;
  readonly version: string;
  readonly metrics: MetricSet;
  readonly clock: Clock;
  readonly log: Log;
}
