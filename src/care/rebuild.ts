import { TonnageError } from '../base/index.ts';
import type { Database, Statement } from '../sqlite/index.ts';
import { keepHere } from '../ledger-file/index.ts';

import { readFacts, withLedgerFile, type LedgerFacts } from '../ledger-file/index.ts';
import { fileCounts } from './own-counts.ts';
import type { OnProgress, Rebuilt, RemoteCare } from '../store/index.ts';
import { rebuildSql, rollUps } from './sums.ts';

export interface RebuildOptions {
  readonly file: string;
  /** Where totals are kept, unless that is the file itself. */
  readonly remote?: RemoteCare;
  /** Names of all meters that there are. */
  readonly meters: readonly string[];
  readonly onProgress?: OnProgress;
}

/**
 * Makes all roll-ups anew out of the details, in one transaction; days whose details are gone keep theirs. Then makes the
 * store elsewhere hold what the ledger has counted, up to its last batch, which counts as delivered from then on; without
 * such a store the outbox is emptied, since it leads nowhere. The caller holds the lock of the data directory.
 */
export function rebuildLedger(options: RebuildOptions): Promise<Rebuilt | undefined> {
  return withLedgerFile(options.file, async (database) => {
    const { detailsFrom } = await readFacts(database);
    const sums = rollUps(detailsFrom).flatMap((rollUp) => rebuildSql(rollUp).map(once));
    await database.transact(sums);
    if (options.remote) return rebuildRemote(database, { ...options, remote: options.remote });
    await database.transact(keepHere);
    return undefined;
  });
}

/** Makes `remote` hold what the ledger has counted. Rejects with `data_invalid` where that would count something twice. */
export async function rebuildRemote(
  database: Database,
  { remote, meters, onProgress }: Omit<RebuildOptions, 'file'> & { readonly remote: RemoteCare },
): Promise<Rebuilt> {
  const facts = await readFacts(database);
  await refuseTaken(database, remote);
  // Afterwards the hash holds this ledger's own fields, and nothing would say that Wave's names are missing.
  if (await remote.hasUnknownWave()) await remote.importWave(onProgress);
  const own = await fileCounts(database, meters);
  const rebuilt = await remote.rebuild(own, { number: facts.lastBatch, token: facts.lastToken }, ({ days }) =>
    onProgress?.({ work: `days in ${remote.name}`, done: days, total: Math.max(days, own.dayCount) }),
  );
  await noteRebuilt(database, facts, remote);
  return rebuilt;
}

/** What the ledger has taken over from a store is part of its own counts now: given back there, it would stand twice. */
async function refuseTaken(database: Database, remote: RemoteCare): Promise<void> {
  const token = await remote.takenToken();
  if (token === undefined || !(await hasTaken(database, token))) return;
  throw new TonnageError(
    'data_invalid',
    `this ledger has taken over all that ${remote.name} holds (tonnage ledger migrate), and would count it there a second ` +
      'time: use an empty Redis, or restore the ledger as it was before that',
  );
}

/** Whether the ledger took over what a store held when it was given this token. */
export async function hasTaken(database: Pick<Database, 'read'>, token: string): Promise<boolean> {
  return (await database.read('select 1 from taken_history where token = ?', [token])).length > 0;
}

/**
 * Everything up to the last batch is delivered, and no loss is left. The details of each day have that number there, so the next batch that
 * touches them follows it. The outbox stays where it reaches up to the last batch: a failover may ask for it.
 */
async function noteRebuilt(
  database: Database,
  { lastBatch, lastToken, detailsFrom }: LedgerFacts,
  remote: RemoteCare,
): Promise<void> {
  const kept = Math.max(detailsFrom, remote.detailsFrom);
  await database.transact([
    { sql: 'update ledger set delivered = ?, gap = null, gap_lasts = 0', rows: [[lastBatch]], changes: 1 },
    {
      sql: 'delete from outbox where (select count(*) from outbox) <> ? - (select min(number) from outbox) + 1',
      rows: [[lastBatch]],
    },
    once('delete from outbox_touch'),
    {
      sql: `insert into outbox_touch (meter, day, number, token) select distinct s.meter, day, ?, ? from account_day
        join series s on s.id = account_day.series where day >= ?`,
      rows: [[lastBatch, lastToken, kept]],
    },
  ]);
}

function once(sql: string): Statement {
  return { sql, rows: [[]] };
}
