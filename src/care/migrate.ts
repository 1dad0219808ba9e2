import { assert, TonnageError, type Clock, type Random } from '../base/index.ts';
import type { BatchEditor, FileCounts, LedgerFile, OnProgress, Rebuilt, RemoteCare } from '../store/index.ts';
import { createCalendar, formatDay, type Increment } from '../usage/index.ts';
import { deliverAll } from './deliver.ts';
import { countWithoutDay, historyBeyond, type HistoryOptions, type WithoutDay } from './history.ts';
import { rebuildRemote } from './rebuild.ts';

const nothing = 'there is nothing to migrate; --config names what has been used so far, --to what is used from then on';

/** Increments written in one batch. */
const incrementsPerBatch = 10_000;

export interface MigrateOptions {
  readonly file: LedgerFile;
  /** Where totals have been kept. Absent: in the file. */
  readonly source?: RemoteCare;
  /** Where totals are kept from now on. Absent: in the file. */
  readonly destination?: RemoteCare;
  readonly meters: readonly string[];
  /** Bytes of the outbox that leads to the source. */
  readonly outboxBytesMax?: number;
  readonly clock: Clock;
  readonly random: Pick<Random, 'uuid'>;
  readonly onProgress?: OnProgress;
}

/** The result of a migration. */
export interface Migrated {
  /** What others had counted in the source and the ledger file has now. */
  readonly taken: { readonly cells: number; readonly counts: bigint; readonly keptAs?: string };
  readonly rebuilt?: Rebuilt;
  /** What stays in the source, and why. */
  readonly notes: readonly string[];
}

/**
 * Moves the totals of a ledger to another store. The file has what the ledger itself has counted. What others have
 * counted in the source (Wave, other ledgers) is added to a copy of the file as history; the complete copy then
 * replaces the file, which is kept. Then the destination is made to hold what the file has. Nothing is deleted in the
 * source. May be interrupted at any point and run again. The caller holds the lock of the data directory.
 */
export async function migrateLedger(options: MigrateOptions): Promise<Migrated> {
  const { file, source, destination } = options;
  await refuseFindings(file);
  await refusePending(file);
  if (!source && !destination)
    throw new TonnageError('config_invalid', `both configurations keep the totals in ${file.path}: ${nothing}`);
  const unread: string[] = [];
  for (const remote of [source, destination])
    if (remote) unread.push(...(await importNames(remote, options.onProgress)));
  const none = { cells: 0, counts: 0n };
  const { notes: left, ...taken } = source ? await takeHistory({ ...options, source }) : { ...none, notes: [] };
  const notes = [...unread, ...left];
  return file.edit(async (ledger) => {
    if (destination) return { taken, notes, rebuilt: await rebuildRemote(ledger, { ...options, remote: destination }) };
    await ledger.keepTotals();
    return { taken, notes };
  });
}

/** Rejects with `data_invalid` for a ledger in which anything is wrong. */
export async function refuseFindings(file: LedgerFile): Promise<void> {
  const findings = await file.inspect();
  if (findings.length === 0) return;
  const lines = findings.map(({ line }) => line).join('; ');
  throw new TonnageError('data_invalid', `${lines}: run tonnage ledger rebuild, then this again`);
}

/** Imports Wave's names from a store. No answer includes counts under names that were not imported. */
async function importNames(remote: RemoteCare, onProgress: OnProgress | undefined): Promise<readonly string[]> {
  const skipped = await remote.importWave(onProgress);
  if (skipped === 0) return [];
  const fields = skipped === 1 ? '1 field of metrics/v1 has' : `${skipped} fields of metrics/v1 have`;
  return [
    `${remote.name}: ${fields} no name of Wave's form; their counts stay there; tonnage wave import names the fields`,
  ];
}

/** Events that wait to be claimed in one Redis would wait for ever in another store. */
async function refusePending(file: LedgerFile): Promise<void> {
  const waiting = await file.edit((ledger) => ledger.pendingEvents());
  if (waiting === 0) return;
  throw new TonnageError(
    'data_invalid',
    `${waiting} events wait to be claimed among the instances that share events: start the server as it was, until none waits`,
  );
}

type WithSource = MigrateOptions & { readonly source: RemoteCare };
type Taken = Migrated['taken'] & Pick<Migrated, 'notes'>;

/** Adds what the source has beyond the ledger to the ledger file, once. */
async function takeHistory(options: WithSource): Promise<Taken> {
  const { file, source, destination } = options;
  const known = await source.takenToken();
  const isTaken = known !== undefined && (await file.edit((ledger) => ledger.hasTaken(known)));
  if (isTaken) return { cells: 0, counts: 0n, notes: [takenBefore(source)] };
  await deliverRest(options);
  const token = options.random.uuid();
  await source.noteTaken(token);
  if ((await destination?.takenToken()) === token) {
    throw new TonnageError('config_invalid', `both configurations name the same Redis: ${nothing}`);
  }
  const { result, keptAs } = await file.editCopy(
    (copy) => fill(copy, options, token),
    ({ cells }) => cells > 0,
  );
  return { ...result, ...(keptAs !== undefined && { keptAs }) };
}

async function deliverRest({ file, source, outboxBytesMax }: WithSource): Promise<void> {
  await file.editBatches(async ({ journal: { outbox, lastBatch } }) => {
    assert(outbox, 'a file that is opened with an outbox has one');
    await deliverAll(outbox, source, lastBatch);
  }, outboxBytesMax);
}

/** Adds the history to a copy of the ledger. */
async function fill(copy: BatchEditor, options: WithSource, token: string): Promise<Taken> {
  const { source, destination, clock, onProgress } = options;
  const { journal } = copy;
  const { timeZone } = await copy.facts();
  const today = createCalendar(timeZone).dayOf(clock.now());
  const own = await copy.counts(options.meters);
  const { meters, left } = await metersToTake(own, options);
  const sum = { cells: 0, counts: 0n };
  let number = journal.lastBatch;
  const commit = async (increments: readonly Increment[]): Promise<void> => {
    const { rejected } = await journal.commit({ number: ++number, at: clock.now(), increments, backfill: true });
    if (rejected === 0) return;
    throw new TonnageError('data_invalid', 'the sums with what was counted elsewhere would leave the range of 64 bits');
  };
  const history = {
    source,
    meters,
    today,
    withoutOthers: destination !== undefined,
    ...(onProgress && { onProgress }),
  };
  for await (const increments of historyBeyond(own, history)) {
    for (let from = 0; from < increments.length; from += incrementsPerBatch) {
      await commit(increments.slice(from, from + incrementsPerBatch));
    }
    sum.cells += increments.length;
    for (const { quantity } of increments) sum.counts += quantity;
  }
  await copy.noteTaken(token, clock.now());
  const notes = [...left, ...(await leftBehind(own, history))];
  return { ...sum, notes };
}

/** The meters whose history is taken. The destination may have that of the others already, as a copy of the source. */
async function metersToTake({ meters }: FileCounts, { destination }: WithSource) {
  if (!destination) return { meters, left: [] };
  const take: string[] = [];
  const left: string[] = [];
  for (const meter of meters) {
    const [day] = (await destination.foreignDays(meter)).toSorted((a, b) => a - b);
    if (day === undefined) take.push(meter);
    else
      left.push(`${meter}: the new Redis has counts of Wave itself (${formatDay(day)}...), so none were taken along`);
  }
  return { meters: take, left };
}

async function leftBehind(own: FileCounts, history: HistoryOptions): Promise<readonly string[]> {
  const { source, meters, withoutOthers } = history;
  const notes: string[] = [];
  if (source.besideWave) notes.push(wavesFromNowOn(source));
  for (const meter of meters) {
    if (withoutOthers && (await source.othersDays(meter)).length > 0) {
      notes.push(`${meter}: what other ledgers have counted stays where it is: migrate each of them`);
    }
    const names = namesOf(await countWithoutDay(own, history, meter));
    if (names.length > 0) {
      notes.push(`${meter}: ${source.name} has counts of all time of ${names} that belong to no day; they stay there`);
    }
  }
  return notes;
}

function namesOf({ organisations, architectures }: WithoutDay): string {
  const counted = [
    [organisations, 'organisation'],
    [architectures, 'architecture'],
  ] as const;
  return counted
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${count} ${what}${count === 1 ? '' : 's'}`)
    .join(' and ');
}

function takenBefore({ name }: RemoteCare): string {
  return `what ${name} held was taken over by an earlier run; counts that Wave or other ledgers added since then stay there`;
}

function wavesFromNowOn({ name }: RemoteCare): string {
  return `Wave may still be counting into ${name} (store.besideWave): what it counts from now on stays there`;
}
