import { TonnageError } from '../base/index.ts';
import type { LedgerEditor, LedgerFile, OnProgress, Rebuilt, RemoteCare } from '../store/index.ts';

export interface RebuildOptions {
  readonly file: LedgerFile;
  /** Where totals are kept. Absent: in the file. */
  readonly remote?: RemoteCare;
  /** Names of all meters that there are. */
  readonly meters: readonly string[];
  readonly onProgress?: OnProgress;
}

/**
 * Makes the sums of all accounts again from the details. Then makes the remote store hold what the ledger has counted
 * up to its last batch, which counts as delivered from then on. Without a remote store, empties the outbox. The caller
 * holds the lock of the data directory.
 */
export function rebuildLedger({ remote, ...options }: RebuildOptions): Promise<Rebuilt | undefined> {
  return options.file.edit(async (ledger) => {
    await ledger.rebuildSums();
    if (remote) return rebuildRemote(ledger, { ...options, remote });
    await ledger.keepTotals();
    return undefined;
  });
}

/** Makes `remote` hold what the ledger has counted. Rejects with `data_invalid` if that would count something twice. */
export async function rebuildRemote(
  ledger: LedgerEditor,
  { remote, meters, onProgress }: Omit<RebuildOptions, 'file'> & { readonly remote: RemoteCare },
): Promise<Rebuilt> {
  const { lastBatch: number, lastToken: token } = await ledger.facts();
  await refuseTaken(ledger, remote);
  // Import Wave's names first: the rebuild adds this ledger's fields, which hide that Wave's names are missing.
  if (await remote.hasUnknownWave()) await remote.importWave(onProgress);
  const own = await ledger.counts(meters);
  const rebuilt = await remote.rebuild(own, { number, token }, ({ days }) =>
    onProgress?.({ work: `days in ${remote.name}`, done: days, total: Math.max(days, own.dayCount) }),
  );
  await ledger.noteRebuilt(remote.detailsFrom);
  return rebuilt;
}

/** What the ledger has taken over from a store is part of its own counts, so that store would count it twice. */
async function refuseTaken(ledger: LedgerEditor, remote: RemoteCare): Promise<void> {
  const token = await remote.takenToken();
  if (token === undefined || !(await ledger.hasTaken(token))) return;
  throw new TonnageError(
    'data_invalid',
    `this ledger has taken over all that ${remote.name} holds (tonnage ledger migrate), and would count it there a second ` +
      'time: use an empty Redis, or restore the ledger as it was before that',
  );
}
