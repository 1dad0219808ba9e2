import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import {
  assert,
  Closers,
  limits,
  messageOf,
  Stop,
  systemClock as clock,
  systemRandom as random,
  type Log,
} from './base/index.ts';
import { CollectorSet, type ScheduledSource, type SourceParts } from './collector/index.ts';
import { debusineOptions } from './collector/drivers/debusine/options.ts';
import { httpJsonOptions } from './collector/drivers/http-json/options.ts';
import { sqlOptions } from './collector/drivers/sql/options.ts';
import {
  createConfigReader,
  type Config,
  type Environment,
  type SourceConfig,
  type StoreConfig,
} from './config/index.ts';
import { openGateway, type Gateway, type OwnAddress } from './gateway/index.ts';
import {
  createAdmit,
  createApi,
  createAuthorise,
  createAuthorisePage,
  createAuthoriseScrape,
  createForwardedReader,
  createListener,
  createMainHandler,
  createMetricsHandler,
  createTokenEndpoint,
  listen,
  ociregistryFamilies,
  openListenerTls,
  openLocalSocket,
  readinessOf,
  silentReaderReport,
  textOnly,
  type AdmissionOptions,
  type Listener,
} from './http/index.ts';
import { IssuedTokens } from './identity/index.ts';
import { openLedger, type Ledger } from './ledger/index.ts';
import { openSqliteStore } from './ledger-file/index.ts';
import { MetricSet } from './metric/index.ts';
import { lockFile, makeDirectory } from './sqlite/index.ts';
import type { RemoteParts, RemoteStore, Store } from './store/index.ts';
import {
  adapterSettings,
  countOfEgress,
  countsOfPull,
  createIdentity,
  createLog,
  environmentProxies,
  gatewaySettings,
  ledgerSettings,
  metersOf,
  organisationsFor,
  ownAddressOf,
  pagesOf,
  scopeUpstreamsOf,
  scrapeAdmissionOf,
  sourceDriverEntry,
  warnOfExposure,
  type SourceDriverEntry,
} from './wiring/index.ts';

type StoreConfigs = { readonly [S in StoreConfig as S['driver']]: S };

interface RemoteDriver<S> {
  createRemote(store: S, parts: RemoteParts): RemoteStore;
}

type StoreDrivers = { readonly [D in keyof StoreConfigs]: (() => Promise<RemoteDriver<StoreConfigs[D]>>) | undefined };

/**
 * Drivers by the name that the configuration gives; each is loaded only when it is used. The ledger file is the journal
 * of every store; `sqlite` keeps the totals there too, the others keep them elsewhere.
 */
const storeDrivers: StoreDrivers = {
  sqlite: undefined,
  redis: () => import('./redis-totals/drivers/redis.ts'),
};
const collectorDrivers = { runtime: () => import('./collector/drivers/runtime.ts') } as const;

/** Drivers of the sources that the configuration names. */
const sourceDrivers: Readonly<Record<string, SourceDriverEntry>> = {
  debusine: sourceDriverEntry(debusineOptions, () => import('./collector/drivers/debusine.ts')),
  'http-json': sourceDriverEntry(httpJsonOptions, () => import('./collector/drivers/http-json.ts')),
  sql: sourceDriverEntry(sqlOptions, () => import('./collector/drivers/sql.ts')),
};

/** What prepares the database of a source of the driver `debusine`. */
export const loadDebusineMaintenance = () => import('./collector/drivers/debusine/maintenance.ts');

/** Reads configurations. It knows the keys of every driver of sources. */
export const configReader = createConfigReader(
  Object.fromEntries(Object.entries(sourceDrivers).map(([name, { options }]) => [name, options])),
);

export const ledgerFileName = 'ledger.sqlite';

/** The socket in a data directory through which commands reach its server. */
export const socketName = 'tonnage.sock';

export interface ServerOptions {
  readonly config: Config;
  /** Counts in the configured time zone from now on, even if the ledger was kept in another one. */
  readonly acceptTimeZone: boolean;
  readonly version: string;
  /** Names the egress proxies. Default: there are none. */
  readonly environment?: Environment;
}

export interface RunningServer {
  readonly url: string;
  /** URL of `/metrics`; absent if there is no metrics listener. */
  readonly metricsUrl?: string;
  /**
   * Takes no more requests, lets those in flight end, and commits. Rejects with `ledger_unsaved` if counts could not be
   * saved. The lock of the data directory is held until the process ends. Further calls return the same promise.
   */
  stop(): Promise<void>;
}

async function createRemote<D extends keyof StoreConfigs>(
  store: StoreConfigs[D] & { readonly driver: D },
  parts: RemoteParts,
): Promise<RemoteStore | undefined> {
  const driver = await storeDrivers[store.driver]?.();
  return driver?.createRemote(store, parts);
}

/** The store of totals that a configuration names; `undefined`: the ledger file. It is not connected yet. */
export function remoteOf(config: Config, log: Log = pino({ level: 'silent' })): Promise<RemoteStore | undefined> {
  const { store, timeZone, usage } = config;
  const { detailDays, dedupeDays, dedupe } = usage;
  return createRemote(store, { timeZone, detailDays, dedupeDays, shared: dedupe === 'shared', clock, log });
}

/** The sources for one source of a configuration. Opens no connection: the first read does. */
export function openSource(source: SourceConfig, parts: SourceParts): Promise<readonly ScheduledSource[]> {
  const driver = sourceDrivers[source.driver];
  assert(driver !== undefined, `no driver has the name ${source.driver}, which the configuration accepts`);
  return driver.open(source, parts);
}

/**
 * Starts everything that the configuration asks for, in the order in which the parts need each other. If one cannot
 * start, stops those before it and rejects with its error: `data_locked`, `data_version`, `address_in_use`...
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const closers = new Closers();
  try {
    return await start(options, closers);
  } catch (error) {
    // Report the start-up error; ignore errors of the clean-up.
    await closers.close().catch(() => undefined);
    throw error;
  }
}

async function start({ environment = {}, ...options }: ServerOptions, closers: Closers): Promise<RunningServer> {
  const { config, acceptTimeZone, version } = options;
  const log = createLog(config);
  const metrics = new MetricSet({
    clock,
    onError: (error) => log.error({ error: messageOf(error) }, 'a metric failed'),
  });
  const collectors = new CollectorSet({ metrics, clock, log });
  closers.add(() => collectors.close());
  // First of all: it counts only the threads that start later.
  const { createRuntimeCollector } = await collectorDrivers.runtime();
  const runtime = createRuntimeCollector({ version, clock });
  collectors.add({ name: 'runtime', driver: 'runtime', collector: runtime, interval: 'scrape' });
  for (const source of config.sources) {
    for (const part of await openSource(source, { clock, log })) collectors.add(part);
  }

  const stop = new Stop(clock, config.shutdownTimeout);
  holdDirectory(config, closers, stop);
  // Only the server that holds the directory reads the sources.
  collectors.start();

  const { store, ledger } = await openStoreAndLedger({ config, acceptTimeZone, metrics, log }, closers);

  const upstreams = scopeUpstreamsOf(config);
  const issued = await IssuedTokens.open({ store: store.tokens, clock, random, log, upstreams });
  const { admission, tokens, tokenManager } = createIdentity(config, { issued, metrics, clock, random, log });
  const own = ownAddressOf(config);
  const gateway = await openGatewayOf({ config, environment, version, metrics, log, ledger, admission, own });
  closers.add(() => gateway.close());

  const api = await createApi({
    ledger,
    meters: metersOf(config),
    metrics,
    clock,
    authorise: createAuthorise(admission),
    authorisePage: createAuthorisePage(admission),
    pages: pagesOf(config, sourceDrivers, collectors),
    tokens: tokenManager,
    adapterSettings: adapterSettings(config),
    sources: () => collectors.status(),
    readiness: () => readinessOf({ ledger, cacheFailure: () => gateway.cacheFailure(), stopping: stop.hasBegun }),
    dashboard: fileURLToPath(new URL('../web/dist', import.meta.url)),
    version,
    log,
  });
  closers.add(() => api.close());
  const token = counted(gateway, createTokenEndpoint({ ...admission, tokens, clock, log }));
  const readForwarded = createForwardedReader(config.trustedProxies);
  const parts = { gateway, api, token, readForwarded, clock, random, log };
  const handler = createMainHandler({ ...parts, accessLog: config.log.access });
  const scrapes = createScrapes({ config, collectors, gateway, admission, readForwarded, metrics, log });
  const { main, metrics: metricsListener } = await openListeners(
    { config, metrics, log },
    { handler, scrapes },
    closers,
  );
  for (const listener of [main, metricsListener]) if (listener) own.ports.add(listener.port);
  // Closed in reverse order: metrics can be read until the last request has ended.
  for (const listener of [metricsListener, main]) if (listener) closers.add(() => closeListener(listener, stop, log));
  const closeSocket = await openLocalSocket({ file: join(config.data, socketName), handler, log });
  closers.add(() => closeSocket(stop.drainMs));

  const urls = { url: main.url, ...(metricsListener && { metricsUrl: `${metricsListener.url}/metrics` }) };
  warnOfExposure(config, log);
  log.info(urls, 'listening');
  return { ...urls, stop: stopper(closers, stop, log) };
}

/** Takes the lock of the data directory. A stopped server keeps it: only the end of the process ends all threads. */
function holdDirectory({ data }: Config, closers: Closers, stop: Stop): void {
  makeDirectory(data);
  const lock = lockFile(join(data, 'lock'));
  closers.add(() => {
    if (!stop.hasBegun) lock.release();
  });
}

/** Opens the ledger over its store: the file, and the remote store that the configuration names. */
async function openStoreAndLedger(
  {
    config,
    acceptTimeZone,
    metrics,
    log,
  }: Pick<GatewayParts, 'config' | 'metrics' | 'log'> & Pick<ServerOptions, 'acceptTimeZone'>,
  closers: Closers,
): Promise<{ readonly store: Store; readonly ledger: Ledger }> {
  const remote = await remoteOf(config, log);
  const store = await openSqliteStore({
    file: join(config.data, ledgerFileName),
    timeZone: config.timeZone,
    acceptTimeZone,
    heldKeysMax: config.usage.heldKeysMax,
    remote,
    clock,
    random,
  });
  closers.add(() => store.close());
  const ledger = await openLedger({
    store,
    clock,
    log,
    metrics,
    ...ledgerSettings(config),
    ...(remote && { outboxKeepMs: remote.outbox.keepMs, outboxKeepBytes: remote.outbox.keepBytes }),
  });
  closers.add(() => ledger.close(limits.ledgerCloseMsMax));
  return { store, ledger };
}

function stopper(closers: Closers, stop: Stop, log: Log): () => Promise<void> {
  let stopped: Promise<void> | undefined;
  return () => {
    stop.begin();
    stopped ??= closers.close().then(() => log.info({}, 'stopped'));
    return stopped;
  };
}

interface GatewayParts {
  readonly config: Config;
  readonly version: string;
  readonly metrics: MetricSet;
  readonly log: Log;
  readonly ledger: Ledger;
  readonly admission: AdmissionOptions;
  readonly environment: Environment;
  readonly own: OwnAddress;
}

function openGatewayOf(parts: GatewayParts): Promise<Gateway> {
  const { config, environment, version, metrics, log, ledger, admission, own } = parts;
  return openGateway({
    ...gatewaySettings(config),
    environmentProxies: environmentProxies(environment),
    own,
    version,
    admit: createAdmit(admission),
    record: (pull) => ledger.record(countsOfPull(pull)),
    recordEgress: (sums) => void ledger.record(sums.map(countOfEgress)),
    metrics,
    clock,
    random,
    log,
  });
}

/** The token endpoint, among the routes that the gateway counts. */
function counted(gateway: Gateway, token: Handlers): Handlers {
  return (request, response) => {
    gateway.countTokenRequest(request, response);
    token(request, response);
  };
}

interface ScrapeParts extends Pick<GatewayParts, 'config' | 'metrics' | 'log'> {
  readonly collectors: CollectorSet;
  readonly gateway: Gateway;
  readonly admission: Parameters<typeof scrapeAdmissionOf>[1];
  readonly readForwarded: ReturnType<typeof createForwardedReader>;
}

/** Answers scrapes, each after a look at what the image cache has on disk. */
function createScrapes({ config, collectors, gateway, metrics, log, ...parts }: ScrapeParts): Handlers {
  const admission = scrapeAdmissionOf(config, parts.admission);
  const native = createMetricsHandler({
    gather: () => collectors.gather(),
    refresh: () => gateway.survey(),
    authorise: admission && createAuthoriseScrape({ ...admission, readForwarded: parts.readForwarded }),
    organisationsFor: organisationsFor(config.metrics),
    metrics,
    clock,
    log,
  });
  const isOciregistry = config.metrics !== false && config.metrics.compat === 'ociregistry';
  if (isOciregistry) metrics.collect(() => ociregistryFamilies(gateway.statistics()));
  return isOciregistry ? textOnly(native) : native;
}

type Handlers = Parameters<typeof createListener>[0];

async function openListeners(
  { config, metrics, log }: Pick<GatewayParts, 'config' | 'metrics' | 'log'>,
  { handler, scrapes }: { readonly handler: Handlers; readonly scrapes: Handlers },
  closers: Closers,
): Promise<{ main: Listener; metrics?: Listener }> {
  const readers = { silenceMs: config.gateway.readerSilence, onSilent: silentReaderReport(metrics, log) };
  // Before the first listener opens: an unusable certificate prevents the start.
  const tls = openListenerTls(config.metrics === false ? undefined : config.metrics.tls, { metrics, clock, log });
  if (tls) closers.add(() => tls.certificate.close());
  const first = await listen(createListener(handler, { readers }), config.listen);
  if (config.metrics === false) return { main: first };
  try {
    const server = createListener(scrapes, { readers, ...(tls && { tls }) });
    return { main: first, metrics: await listen(server, config.metrics.listen) };
  } catch (error) {
    await first.close(0);
    throw error;
  }
}

async function closeListener(listener: Listener, stop: Stop, log: Log): Promise<void> {
  const waitedMs = stop.drainMs;
  const cut = await listener.close(waitedMs);
  if (cut > 0) log.warn({ requests: cut, waitedMs }, 'requests were cut off at the stop');
}
