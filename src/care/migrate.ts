import { TonnageError, type Clock, type Random } from '../base/index.ts';
import { backupFile, type Database } from '../sqlite/index.ts';
import { createCalendar, formatDay, type Increment } from '../usage/index.ts';
import { keepHere } from '../ledger-file/index.ts';
import { createJournal } from '../ledger-file/index.ts';
import { openOutbox } from '../ledger-file/index.ts';
import { ledgerFile } from '../ledger-file/index.ts';

import { removeLedger, replaceLedger } from './backup.ts';
import { checkLedger } from './check.ts';
import { deliverAll } from './deliver.ts';
import { openLedgerFile, readFacts, withLedgerFile } from '../ledger-file/index.ts';
import { countWithoutDay, historyBeyond, type WithoutDay } from './history.ts';
import { fileCounts } from './own-counts.ts';
import { hasTaken, rebuildRemote } from './rebuild.ts';
import type { OnProgress, Rebuilt, RemoteCare } from '../store/index.ts';

const nothing = 'there is nothing to migrate; --config names what has been used so far, --to what is used from then on';

/** Increments written in one batch. */
const incrementsPerBatch = 10_000;

export interface MigrateOptions {
  readonly file: string;
  /** Where totals have been kept; absent: in the file itself. */
  readonly source?: RemoteCare;
  /** Where they are to be kept; absent: in the file itself. */
  readonly target?: RemoteCare;
  readonly meters: readonly string[];
  readonly outboxBytesMax: number;
  readonly clock: Clock;
  readonly random: Pick<Random, 'uuid'>;
  readonly onProgress?: OnProgress;
}

/** What was taken where. */
export interface Migrated {
  /** What others had counted at the source, now in the ledger file. */
  readonly taken: { readonly cells: number; readonly counts: bigint; readonly keptAs?: string };
  readonly rebuilt?: Rebuilt;
  /** What was left behind, and why. */
  readonly notes: readonly string[];
}

/**
 * Takes the totals of a ledger to another store. What the ledger has counted is in its file anyway. What a source beyond it
 * answers (a Wave that was taken over, other ledgers) is added to the file as history, all at once: until it is complete
 * the file stays as it was, and it is kept beside it afterwards. A target is then made to hold what the file has. Nothing
 * is deleted at the source. May be interrupted anywhere, and run again. The caller holds the lock of the data directory.
 */
export async function migrateLedger(options: MigrateOptions): Promise<Migrated> {
  const { file, source, target } = options;
  const findings = await checkLedger(file);
  if (findings.length > 0) {
    throw new TonnageError('data_invalid', `${findings.join('; ')}: run tonnage ledger rebuild, then this again`);
  }
  await withLedgerFile(file, refusePending);
  if (!source && !target)
    throw new TonnageError('config_invalid', `both configurations keep the totals in ${file}: ${nothing}`);
  const unread: string[] = [];
  for (const remote of [source, target]) if (remote) unread.push(...(await importNames(remote, options.onProgress)));
  const none = { cells: 0, counts: 0n };
  const { notes: left, ...taken } = source ? await takeHistory({ ...options, source }) : { ...none, notes: [] };
  const notes = [...unread, ...left];
  return withLedgerFile(file, async (database) => {
    if (target) return { taken, notes, rebuilt: await rebuildRemote(database, { ...options, remote: target }) };
    await database.transact(keepHere);
    return { taken, notes };
  });
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

/** Events that wait to be claimed among the instances of one Redis would wait for ever in another store. */
async function refusePending(database: Database): Promise<void> {
  const [row] = await database.read('select coalesce(sum(events), 0) from pending_claim');
  const waiting = Number(row?.[0]);
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
  const { file, source, target } = options;
  const known = await source.takenToken();
  const isTaken = known !== undefined && (await withLedgerFile(file, (database) => hasTaken(database, known)));
  if (isTaken) return { cells: 0, counts: 0n, notes: [takenBefore(source)] };
  await deliverRest(options);
  const token = options.random.uuid();
  await source.noteTaken(token);
  if ((await target?.takenToken()) === token) {
    throw new TonnageError('config_invalid', `both configurations name the same Redis: ${nothing}`);
  }
  const fresh = `${file}.migrating`;
  removeLedger(fresh);
  await backupFile(ledgerFile(file), fresh);
  const copy = await openLedgerFile(fresh, { heldKeysMax: Number.MAX_SAFE_INTEGER });
  let taken: Taken;
  try {
    taken = await fill(copy, options, token);
  } finally {
    await copy.close();
  }
  if (taken.cells === 0) {
    removeLedger(fresh);
    return taken;
  }
  const keptAs = await replaceLedger(file, fresh, `${file}.before-migrate`);
  return { ...taken, ...(keptAs !== undefined && { keptAs }) };
}

async function deliverRest({ file, source, outboxBytesMax }: WithSource): Promise<void> {
  await withLedgerFile(
    file,
    async (database) => deliverAll(await openOutbox(database), source, (await readFacts(database)).lastBatch),
    { heldKeysMax: Number.MAX_SAFE_INTEGER, outboxBytesMax },
  );
}

/** Adds the history to a copy of the ledger. */
async function fill(copy: Database, options: WithSource, token: string): Promise<Taken> {
  const { source, target, clock, onProgress } = options;
  const facts = await readFacts(copy);
  const journal = await createJournal({ ...facts, database: copy, hasOutbox: false });
  const today = createCalendar(facts.timeZone).dayOf(clock.now());
  const { meters, left } = await metersToTake(copy, options);
  const sum = { cells: 0, counts: 0n };
  let number = facts.lastBatch;
  const commit = async (increments: readonly Increment[]): Promise<void> => {
    const { rejected } = await journal.commit({ number: ++number, at: clock.now(), increments, backfill: true });
    if (rejected === 0) return;
    throw new TonnageError('data_invalid', 'the sums with what was counted elsewhere would leave the range of 64 bits');
  };
  const history = { source, meters, today, withoutOthers: target !== undefined, ...(onProgress && { onProgress }) };
  for await (const increments of historyBeyond(copy, history)) {
    for (let from = 0; from < increments.length; from += incrementsPerBatch) {
      await commit(increments.slice(from, from + incrementsPerBatch));
    }
    sum.cells += increments.length;
    for (const { quantity } of increments) sum.counts += quantity;
  }
  const at = Math.trunc(clock.now());
  await copy.transact([{ sql: 'insert into taken_history (token, at) values (?, ?)', rows: [[token, at]] }]);
  const notes = [...left, ...(await leftBehind(copy, history, today))];
  return { ...sum, notes };
}

/** Meters whose history is taken, and why the others' is not: the target may have it already, as a copy of the source. */
async function metersToTake(copy: Database, { meters, target }: WithSource) {
  const all = (await fileCounts(copy, meters)).meters;
  if (!target) return { meters: all, left: [] };
  const take: string[] = [];
  const left: string[] = [];
  for (const meter of all) {
    const [day] = (await target.foreignDays(meter)).toSorted((a, b) => a - b);
    if (day === undefined) take.push(meter);
    else
      left.push(`${meter}: the new Redis has counts of Wave itself (${formatDay(day)}...), so none were taken along`);
  }
  return { meters: take, left };
}

async function leftBehind(
  copy: Database,
  history: { source: RemoteCare; meters: readonly string[]; withoutOthers: boolean },
  today: number,
): Promise<readonly string[]> {
  const { source, meters, withoutOthers } = history;
  const notes: string[] = [];
  if (source.besideWave) notes.push(wavesFromNowOn(source));
  for (const meter of meters) {
    if (withoutOthers && (await source.othersDays(meter)).length > 0) {
      notes.push(`${meter}: what other ledgers have counted stays where it is: migrate each of them`);
    }
    const names = namesOf(await countWithoutDay(copy, { ...history, today }, meter));
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
