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

/** The moment at which everything in these tests happens. */
export const fixtureTime = Date.parse('2026-11-21T12:00:00Z');
export const fixtureDay = '2026-11-21';

export interface ApiFixture {
  readonly app: App;
  readonly ledger: Ledger;
  /** Lines that were logged, as `level message`. */
  readonly logged: readonly string[];
  close(): Promise<void>;
}

/** Somebody who may do anything and is bound to no organisation. */
export const everybody: Principal = { subject: 'test', rights: new Set(rights) };

export interface ApiFixtureOptions extends Partial<ApiOptions> {
  readonly principal?: Principal;
  /** Default: those that are kept without a configuration. */
  readonly dimensions?: readonly Dimension[];
  /** Default: UTC. */
  readonly timeZone?: string;
  /** When it is. Default: `fixtureTime`. */
  readonly now?: () => number;
  /** Opens another store than the embedded one. */
  readonly openStore?: (options: SqliteStoreOptions & { readonly log: Log }) => Promise<Store>;
}

/**
 * The API over a real ledger in a directory of its own. Requests with the header `x-nobody` count as without credentials.
 * `close` rejects when an answer was not as the API describes itself.
 */
export async function openApiFixture(fixtureOptions: ApiFixtureOptions = {}): Promise<ApiFixture> {
  const {
    principal = everybody,
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
    // An answer is that it is stored, however long the disk takes.
    commitWaitMs: 60_000,
  });
  const app = await createApi({
    ledger,
    meters: meterSet(),
    metrics,
    clock,
    authorise: async (request, right) => {
      if (request.headers['x-nobody'] !== undefined)
        throw new TonnageError('unauthorized', 'expected credentials, got none');
      if (!principal.rights.has(right)) throw new TonnageError('forbidden', `expected the right ${right}`);
      return principal;
    },
    tokens: await IssuedTokens.open({ keeper: store.tokens, clock, random: systemRandom, log }),
    readiness: () => ({ ready: true, checks: { ledger: 'ok' } }),
    version: '0.0.0-test',
    log,
    ...options,
  });
  const undescribed = await noteUndescribed(app);
  return {
    app,
    ledger,
    logged,
    async close() {
      await app.close();
      await ledger.close(5_000);
      await store.close();
      rmSync(directory, { recursive: true, force: true });
      deepEqual([...undescribed], [], 'answers are as the description of the API says');
    },
  };
}

/** Notes of each answer from now on what the API's own description does not say of it. */
async function noteUndescribed(app: App): Promise<ReadonlySet<string>> {
  const described = new DescribedAnswers((await app.inject('/openapi.json')).json<Description>());
  const undescribed = new Set<string>();
  const inject = app.inject.bind(app);
  const injectAndNote = async (options: string | InjectOptions) => {
    const answer = await inject(options);
    const missing = described.missing(injectedAnswer(answer));
    if (missing !== undefined) undescribed.add(missing);
    return answer;
  };
  Object.defineProperty(app, 'inject', { value: injectAndNote });
  return undescribed;
}
