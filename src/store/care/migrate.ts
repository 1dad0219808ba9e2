import { TonnageError, type Clock, type Random } from '../../base/index.ts';
import { backupFile, type Database } from '../../sqlite/index.ts';
import { createCalendar, formatDay, type Increment } from '../../usage/index.ts';
import { keepHere } from '../journal/destination.ts';
import { createJournal } from '../journal/journal.ts';
import { openOutbox } from '../journal/outbox.ts';
import type { Rebuilt } from '../redis/write/index.ts';
import { removeLedger, replaceLedger } from './backup.ts';
import { checkLedger } from './check.ts';
import { deliverAll } from './deliver.ts';
import { openLedgerFile, readFacts, withLedgerFile } from './file.ts';
import { countWithoutDay, historyBeyond } from './history.ts';
import { fileCounts } from './own-counts.ts';
import { hasTaken, rebuildRemote } from './rebuild.ts';
import type { OnProgress, RemoteCare } from './remote.ts';

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
  const none = { cells: 0, counts: 0n };
  const { notes, ...taken } = source ? await takeHistory({ ...options, source }) : { ...none, notes: [] };
  return withLedgerFile(file, async (database) => {
    if (target) return { taken, notes, rebuilt: await rebuildRemote(database, { ...options, remote: target }) };
    await database.transact(keepHere);
    return { taken, notes };
  });
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
  if (isTaken) return { cells: 0, counts: 0n, notes: [`what ${source.name} holds has been taken over before`] };
  await deliverRest(options);
  const token = options.random.uuid();
  await source.noteTaken(token);
  if ((await target?.takenToken()) === token) {
    throw new TonnageError('config_invalid', `both configurations name the same Redis: ${nothing}`);
  }
  const fresh = `${file}.migrating`;
  removeLedger(fresh);
  await backupFile(file, fresh);
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
  { source, meters, withoutOthers }: { source: RemoteCare; meters: readonly string[]; withoutOthers: boolean },
  today: number,
): Promise<readonly string[]> {
  const notes: string[] = [];
  for (const meter of meters) {
    if (withoutOthers) {
      if ((await source.othersDays(meter)).length > 0) {
        notes.push(`${meter}: what other ledgers have counted stays where it is: migrate each of them`);
      }
      continue;
    }
    const count = await countWithoutDay(copy, source, meter, today);
    if (count > 0) {
      notes.push(
        `${meter}: of ${count} organisations ${source.name} has counts of all time that belong to no day; they stay there`,
      );
    }
  }
  return notes;
}
