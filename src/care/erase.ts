import { assert, TonnageError, type Clock } from '../base/index.ts';
import type {
  BatchEditor,
  EraseMark,
  ErasedNames,
  LedgerFile,
  LedgerReader,
  NamedCounts,
  OnProgress,
  Outbox,
  RemoteCare,
} from '../store/index.ts';
import { deliverAll } from './deliver.ts';
import { refuseFindings } from './migrate.ts';

/** How many days of meters to drop details of at a time. */
const daysPerDrop = 64;

export interface EraseOptions {
  readonly file: LedgerFile;
  readonly names: ErasedNames;
  /** Tells the next run that this one was started. */
  readonly mark: EraseMark;
  /** Where totals are kept. Absent: in the file. */
  readonly remote?: RemoteCare;
  /** Names of all meters that there are. */
  readonly meters: readonly string[];
  /** Bytes of the outbox that leads to the remote store. */
  readonly outboxBytesMax?: number;
  readonly clock: Clock;
  readonly onProgress?: OnProgress;
}

/** What is counted under a name. */
export interface ErasePlan extends NamedCounts {
  /** The ledger or the remote store knows the name, or a run for it was interrupted: there is something to erase. */
  readonly isKnown: boolean;
}

/** Looks up what erasing a name would change. Changes nothing. */
export async function planErase(
  ledger: LedgerReader,
  { names, mark, remote, meters }: Pick<EraseOptions, 'names' | 'mark' | 'remote' | 'meters'>,
): Promise<ErasePlan> {
  const counted = await ledger.countNamed(names);
  const isKnown = counted.series > 0 || mark.isSet || (await remote?.knows(names, meters)) === true;
  return { ...counted, isKnown };
}

/**
 * Erases a name: its counts move to the same series without the name, in the ledger and in the remote store, and the
 * file no longer contains the name. May be interrupted at any point and started again. The caller holds the lock of the
 * data directory. Rejects with `data_invalid` for a ledger whose sums do not agree, and with the error of a remote
 * store that is unreachable; what was not delivered then waits in the outbox.
 */
export async function eraseNames(options: EraseOptions): Promise<void> {
  const { file, names, mark, remote, meters, outboxBytesMax } = options;
  await refuseFindings(file);
  mark.set();
  await file.editBatches(async (ledger) => {
    if (remote) await eraseBoth(ledger, { ...options, remote });
    else await eraseLocal(ledger, options);
  }, remote && outboxBytesMax);
  await remote?.eraseClaims(names);
  if (remote && names.dimension === 'org') {
    const { meters: all } = await file.edit((ledger) => ledger.counts(meters));
    for (const org of names.values) await remote.eraseNames(org, all);
  }
  // Free pages contain the deleted bytes until the file is rewritten.
  file.compact();
  mark.clear();
}

async function eraseLocal(ledger: BatchEditor, options: EraseOptions): Promise<void> {
  const waiting = await ledger.undelivered();
  if (waiting > 0) {
    throw new TonnageError(
      'data_invalid',
      `${waiting} batches up to ${ledger.journal.lastBatch} wait for their delivery to a Redis and may hold the name: run this ` +
        'with the configuration of that Redis, or give it up with tonnage ledger rebuild',
    );
  }
  await moveAll(ledger, options, () => Promise.resolve());
  await ledger.emptyOutbox();
}

async function eraseBoth(ledger: BatchEditor, options: EraseOptions & { readonly remote: RemoteCare }): Promise<void> {
  const { remote } = options;
  const { outbox } = ledger.journal;
  assert(outbox, 'a file that is opened with an outbox has one');
  const deliver = async (): Promise<void> => {
    const { lastBatch } = await ledger.facts();
    await deliverAll(outbox, remote, lastBatch);
    await empty(outbox, lastBatch);
  };
  // Waiting batches may contain the name, so deliver them before it is erased.
  await deliver();
  await dropOldDetails(outbox, remote);
  await moveAll(ledger, options, deliver);
  await deliver();
}

/** Moves all cells and removes their series. Calls `afterBatch` after each batch. */
async function moveAll(
  ledger: BatchEditor,
  { names, clock, onProgress }: EraseOptions,
  afterBatch: () => Promise<void>,
): Promise<void> {
  const { cells: total } = await ledger.countNamed(names);
  let done = 0;
  for await (const cells of ledger.eraseNames(names, clock)) {
    if (cells > 0) await afterBatch();
    done += cells;
    onProgress?.({ work: 'counts moved', done, total: Math.max(done, total) });
  }
}

/** Deletes all delivered batches, because they contain the name. A store that loses them needs a rebuild. */
async function empty(outbox: Outbox, delivered: number): Promise<void> {
  const rule = { delivered, confirmed: delivered, before: Number.MAX_SAFE_INTEGER, bytesMax: 0 };
  do {
    await outbox.trim(rule);
  } while (outbox.status().first !== undefined);
}

/** Drops details in the remote store that the ledger no longer keeps: moving cells does not change them. */
async function dropOldDetails(outbox: Outbox, remote: RemoteCare): Promise<void> {
  for (;;) {
    const days = await outbox.touchedBefore(remote.detailsFrom, daysPerDrop);
    for (const { meter, day } of days) await remote.dropDetails(meter, day);
    if (days.length === 0) return;
    await outbox.untouch(days);
  }
}
