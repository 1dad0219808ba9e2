import { deepEqual } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InjectOptions } from 'fastify';
import { systemRandom, TonnageError, type Clock, type Log } from '../../base/index.ts';
import { IssuedTokens, rights, type Principal } from '../../identity/index.ts';
import { openLedger, type Ledger } from '../../ledger/index.ts';
import { MetricSet } from '../../metric/index.ts';
import { openSqliteStore, type SqliteStoreOptions } from '../../ledger-file/index.ts';
import type { Store } from '../../store/index.ts';
import { meterSet, type Dimension } from '../../usage/index.ts';
import { createApi } from '../api.ts';
import type { ApiOptions, App } from '../contract.ts';
import { DescribedAnswers, injectedAnswer, type Description } from './described.ts';

/** The current time in these tests. */
export const fixtureTime = Date.parse('2026-11-21T12:00:00Z');
export const fixtureDay = '2026-11-21';

export interface ApiFixture {
  readonly app: App;
  readonly ledger: Ledger;
  /** Logged lines, as `level message`. */
  readonly logged: readonly string[];
  close(): Promise<void>;
}

/** A principal with all rights and no organisation. */
export const unboundAdmin: Principal = { subject: 'test', rights: new Set(rights) };

export interface ApiFixtureOptions extends Partial<ApiOptions> {
  readonly principal?: Principal;
  /** Default: the dimensions that are kept by default. */
  readonly dimensions?: readonly Dimension[];
  /** Default: UTC. */
  readonly timeZone?: string;
  /** The current time. Default: `fixtureTime`. */
  readonly now?: () => number;
  /** Opens the store. Default: the embedded one. */
  readonly openStore?: (options: SqliteStoreOptions & { readonly log: Log }) => Promise<Store>;
}

/**
 * Opens the API over a real ledger in a new directory. The header `x-no-credentials` makes a request unauthenticated.
 * `close` rejects if a response did not match the API's OpenAPI description.
 */
export async function openApiFixture(fixtureOptions: ApiFixtureOptions = {}): Promise<ApiFixture> {
  const {
    principal = unboundAdmin,
    dimensions = ['org', 'arch', 'upstream', 'repository'],
    timeZone = 'UTC',
    now = () => fixtureTime,
    openStore = openSqliteStore,
    ...options
  } = fixtureOptions;
  const directory = mkdtempSync(join(tmpdir(), 'tonnage-http-'));
  const clock: Clock = { now, monotonic: () => performance.now() };
  const logged: string[] = [];
  const line = (level: string) => (_fields: object, message: string) => void logged.push(`${level} ${message}`);
  const log: Log = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  const store = await openStore({
    file: join(directory, 'ledger.sqlite'),
    timeZone,
    acceptTimeZone: false,
    clock,
    random: systemRandom,
    log,
  });
  const metrics = new MetricSet();
  const ledger = await openLedger({
    store,
    clock,
    log,
    metrics,
    dimensions,
    durability: 'strict',
    orgLabels: true,
    // Responses must mean that the data is stored, however slow the disk is.
    commitWaitMs: 60_000,
  });
  const app = await createApi({
    ledger,
    meters: meterSet(),
    metrics,
    clock,
    authorise: async (request, right) => {
      if (request.headers['x-no-credentials'] !== undefined)
        throw new TonnageError('unauthorized', 'expected credentials, got none');
      if (!principal.rights.has(right)) throw new TonnageError('forbidden', `expected the right ${right}`);
      return principal;
    },
    authorisePage: async (request) => {
      if (request.headers['x-no-credentials'] !== undefined) return undefined;
      return principal;
    },
    pages: [],
    tokens: await IssuedTokens.open({ store: store.tokens, clock, random: systemRandom, log }),
    sources: () => [],
    readiness: () => ({ ready: true, checks: { ledger: 'ok' } }),
    version: '0.0.0-test',
    log,
    ...options,
  });
  const undescribed = await collectUndescribed(app);
  return {
    app,
    ledger,
    logged,
    async close() {
      await app.close();
      await ledger.close(5_000);
      await store.close();
      rmSync(directory, { recursive: true, force: true });
      deepEqual([...undescribed], [], 'all responses match the OpenAPI description');
    },
  };
}

/** Collects the mismatches between future responses and the API's OpenAPI description. */
async function collectUndescribed(app: App): Promise<ReadonlySet<string>> {
  const described = new DescribedAnswers((await app.inject('/openapi.json')).json<Description>());
  const undescribed = new Set<string>();
  const inject = app.inject.bind(app);
  const injectAndCheck = async (options: string | InjectOptions) => {
    const answer = await inject(options);
    const missing = described.missing(injectedAnswer(answer));
    if (missing !== undefined) undescribed.add(missing);
    return answer;
  };
  Object.defineProperty(app, 'inject', { value: injectAndCheck });
  return undescribed;
}
