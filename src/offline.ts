import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { ledgerFileName, openSource, remoteOf } from './app.ts';
import { messageOf, systemClock as clock, systemRandom as random, TonnageError } from './base/index.ts';
import { createLedgerCare, type LedgerCare } from './care/index.ts';
import { CollectorSet } from './collector/index.ts';
import type { Config, SourceConfig } from './config/index.ts';
import { IssuedTokens, type TokenManager } from './identity/index.ts';
import { createLedgerFile, openSqliteTotals, withLedgerReader, withTokenTable } from './ledger-file/index.ts';
import { MetricSet, type MetricFamily } from './metric/index.ts';
import type { ReadTotals, WaveImportProgress, WaveImportSummary } from './store/index.ts';
import { meterSet } from './usage/index.ts';
import { scopeUpstreamsOf } from './wiring/index.ts';

/** Opens the totals of a configuration for reading, also while a server is running. */
export async function openTotals(config: Config): Promise<ReadTotals> {
  const file = join(config.data, ledgerFileName);
  const remote = await remoteOf(config);
  if (!remote) return openSqliteTotals(file);
  if (!existsSync(file)) return remote.openTotals(undefined);
  return withLedgerReader(file, (ledger) => remote.openTotals(ledger));
}

/**
 * Runs `work` on the tokens of a data directory. Rejects with `data_locked` while a server runs there, because it would
 * not notice the change. Rejects with `not_found` if there is no ledger; if `makes`, creates one instead. Scopes are
 * checked against the upstreams of `config`, if it is given.
 */
export async function withTokens<T>(
  data: string,
  { makes, config }: { readonly makes: boolean; readonly config?: Config },
  work: (tokens: TokenManager) => Promise<T>,
): Promise<T> {
  const file = createLedgerFile(data, ledgerFileName);
  // Where no lock was ever taken, none is left behind.
  if (!makes && !existsSync(join(data, 'lock'))) file.assertThere();
  return file.alone(async () => {
    if (!makes) file.assertThere();
    const upstreams = config && scopeUpstreamsOf(config);
    const log = pino({ level: 'silent' });
    return withTokenTable(file.path, async (store) =>
      work(await IssuedTokens.open({ store, clock, random, log, ...(upstreams && { upstreams }) })),
    );
  });
}

/** The maintenance of the ledger of a configuration, without a server. */
export async function openLedgerCare(config: Config): Promise<LedgerCare> {
  const { data, usage } = config;
  const remote = await remoteOf(config);
  return createLedgerCare({
    file: createLedgerFile(data, ledgerFileName),
    ...(remote && { remote }),
    meters: [...meterSet(usage.meters).byName.keys()],
    ...(usage.hashKey && { pseudonymKey: Buffer.from(usage.hashKey.reveal()) }),
    clock,
    random,
  });
}

/** Imports the names under which Wave has counted in the store of a configuration; `undefined` for a store that Wave does not use. */
export async function importWave(
  config: Config,
  onProgress: (progress: WaveImportProgress) => void,
): Promise<WaveImportSummary | undefined> {
  return (await remoteOf(config))?.importWave?.(onProgress);
}

/**
 * Reads one source of a configuration once, as a server would, and resolves with its families. `now`: the time that the
 * source takes as the current one, in Unix milliseconds. Rejects with `source_failed` if any part of it cannot be read.
 */
export async function collectSource(source: SourceConfig, now?: number): Promise<readonly MetricFamily[]> {
  const log = pino({ level: 'silent' });
  const parts = { clock: now === undefined ? clock : { ...clock, now: () => now }, log };
  const collectors = new CollectorSet({ metrics: new MetricSet(), ...parts });
  try {
    const sources = await openSource(source, parts);
    for (const each of sources) collectors.add(each);
    for (const { name } of sources) {
      await collectors.read(name).catch((cause: unknown) => {
        throw new TonnageError('source_failed', `${name}: ${messageOf(cause)}`, { cause });
      });
    }
    const pages = new Set(sources.flatMap(({ page }) => page ?? []));
    const withoutPage = sources.filter(({ page }) => page === undefined);
    return [
      ...[...pages].flatMap((page) => collectors.page(page)?.families ?? []),
      ...withoutPage.flatMap(({ name }) => collectors.families(name)),
    ];
  } finally {
    await collectors.close();
  }
}
