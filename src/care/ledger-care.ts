import { join } from 'node:path';
import { canonicalOrganisation, TonnageError, type Clock, type Random } from '../base/index.ts';
import { lockFile, makeDirectory, type ReadOnlyDatabase } from '../sqlite/index.ts';
import { Pseudonyms } from '../usage/index.ts';
import { delivers } from '../ledger-file/index.ts';

import { openLedgerReadOnly } from '../ledger-file/index.ts';
import { ledgerMigrations } from '../ledger-file/index.ts';
import { backupLedger, restoreLedger, type Restored } from './backup.ts';
import { inspectLedger, type LedgerFinding } from './check.ts';
import { compareRemote, type Comparison } from './compare.ts';
import { countErasing, EraseMark } from './erase-mark.ts';
import { eraseNames, planErase, type ErasePlan } from './erase.ts';
import { assertLedger, hasIdentity, readFacts, withLedgerFile, type LedgerFacts } from '../ledger-file/index.ts';
import { migrateLedger, type Migrated } from './migrate.ts';
import { rebuildLedger } from './rebuild.ts';
import type { ErasedNames, OnProgress, Rebuilt, RemoteCare } from '../store/index.ts';

/** Opens the store of totals that a configuration names, for one ledger. */
export type OpenRemote = (ledger: LedgerFacts) => Promise<RemoteCare>;

/** Who is to be forgotten: an organisation, or a user by name or pseudonym. */
export type Erased = { readonly org: string } | { readonly user: string };

export interface LedgerCareOptions {
  /** Path of the ledger file, and of the lock of its data directory. */
  readonly data: string;
  readonly fileName: string;
  /** Absent: totals are in the ledger file. */
  readonly openRemote?: OpenRemote;
  /** Names of all meters that there are. */
  readonly meters: readonly string[];
  readonly outboxBytesMax: number;
  /** What pseudonyms are made with, where that is not the ledger's own key. */
  readonly pseudonymKey?: Uint8Array;
  readonly clock: Clock;
  readonly random: Random;
}

/** What can be done for the ledger of a data directory without a server. */
export interface LedgerCare {
  /** What is wrong, one line each, and what could not be looked at; also while a server is running. */
  check(onProgress?: OnProgress): Promise<Comparison>;
  /** Whether its batches go to a store elsewhere, or did until now; also while a server is running. */
  delivers(): Promise<boolean>;
  /** Copies it to a file that does not exist yet; also while a server is running. */
  backup(target: string): Promise<void>;
  // All below throw `data_locked` while a server is running.
  /** Makes its sums anew, here and then where totals are kept; answers what was wrong there, where that is elsewhere. */
  rebuild(onProgress?: OnProgress): Promise<Rebuilt | undefined>;
  /** Puts a backup in its place, with `takesFindings` also one that a rebuild has to mend afterwards. */
  restore(backup: string, takesFindings?: boolean): Promise<Restored>;
  /** Takes its totals to the store that `to` opens (absent: to the ledger file). */
  migrate(to: OpenRemote | undefined, onProgress?: OnProgress): Promise<Migrated>;
  /** What stands under a name, here and where totals are kept. */
  planErase(erased: Erased): Promise<ErasePlan>;
  /** Lets what was counted under a name count without it. */
  erase(erased: Erased, onProgress?: OnProgress): Promise<void>;
}

/** The ledger of a data directory, to be looked after. */
export function createLedgerCare(options: LedgerCareOptions): LedgerCare {
  const { data, fileName, meters, clock, random, outboxBytesMax } = options;
  const file = join(data, fileName);
  const common = { file, meters, clock, random, outboxBytesMax };
  return {
    check: (onProgress) => check(file, options, onProgress),
    async delivers() {
      assertLedger(file);
      return withReadOnly(file, delivers);
    },
    backup: (target) => backupLedger(file, target),
    restore: (backup, takesFindings = false) => alone(data, () => restoreLedger(file, backup, takesFindings)),
    rebuild: (onProgress) =>
      aloneWith(file, data, () =>
        withRemote(file, options.openRemote, (remote) =>
          rebuildLedger({ ...common, ...(remote && { remote }), ...(onProgress && { onProgress }) }),
        ),
      ),
    migrate: (to, onProgress) =>
      aloneWith(file, data, () =>
        withRemote(file, options.openRemote, (source) =>
          withRemote(file, to, (target) =>
            migrateLedger({
              ...common,
              ...(source && { source }),
              ...(target && { target }),
              ...(onProgress && { onProgress }),
            }),
          ),
        ),
      ),
    planErase: (erased) =>
      aloneWith(file, data, () =>
        withRemote(file, options.openRemote, (remote) =>
          withLedgerFile(file, async (database) => {
            const facts = await readFacts(database);
            const names = namesOf(erased, facts, options);
            const mark = new EraseMark(file, facts.hashKey, names);
            return planErase(database, { names, mark, meters, ...(remote && { remote }) });
          }),
        ),
      ),
    erase: (erased, onProgress) =>
      aloneWith(file, data, () =>
        withRemote(file, options.openRemote, async (remote) => {
          const facts = await withLedgerFile(file, readFacts);
          const names = namesOf(erased, facts, options);
          const mark = new EraseMark(file, facts.hashKey, names);
          await eraseNames({ ...common, names, mark, ...(remote && { remote }), ...(onProgress && { onProgress }) });
        }),
      ),
  };
}

/** The file by itself, then against the store that has the totals, where that can be reached. */
async function check(file: string, options: LedgerCareOptions, onProgress?: OnProgress): Promise<Comparison> {
  const inFile = await inspectLedger(file);
  const findings = inFile.map(({ line }) => line);
  const { openRemote, meters } = options;
  if (findings.length > 0) return { findings, notes: [], remedy: remedyOf(inFile) };
  if (!(await withReadOnly(file, hasIdentity)))
    return { findings, notes: ['no server has counted into this ledger yet'] };
  const erasing = unfinishedErase(file);
  const outdated = await withReadOnly(file, outdatedSchema);
  if (outdated !== undefined) return { findings, notes: [...erasing, outdated] };
  const gap = await withReadOnly(file, knownLoss);
  if (gap !== undefined) return { findings: [`totals are incomplete (ledger_gap): ${gap}`], notes: erasing };
  if (!openRemote) return { findings, notes: [...erasing, ...(await deliversElsewhere(file))] };
  let remote: RemoteCare | undefined;
  try {
    remote = await openRemote(await readOnlyFacts(file));
    const compared = await compareRemote({ file, remote, meters, ...(onProgress && { onProgress }) });
    return { ...compared, notes: [...erasing, ...compared.notes] };
  } catch (error) {
    if (!(error instanceof TonnageError)) throw error;
    // That it is away, or has no time right now, passes. Everything else stays as it is until somebody helps.
    if (error.code === 'redis_unavailable') {
      return { findings, notes: [...erasing, `Redis was not compared: ${error.message}`] };
    }
    return {
      findings: [`Redis: nothing is delivered (${error.code}): ${error.message}${adviceOn(error)}`],
      notes: erasing,
    };
  } finally {
    await remote?.close();
  }
}

function remedyOf(findings: readonly LedgerFinding[]): string {
  const isMendable = findings.every((finding) => finding.isMendable);
  return isMendable
    ? 'tonnage ledger rebuild mends that'
    : 'tonnage ledger rebuild does not mend all of that; tonnage ledger restore puts a backup in its place';
}

/** Why a ledger cannot be compared with a store elsewhere yet; `undefined` once its schema is that of this release. */
async function outdatedSchema(database: ReadOnlyDatabase): Promise<string | undefined> {
  const [row] = await database.read('pragma user_version');
  const version = Number(row?.[0]);
  if (version >= ledgerMigrations.length || !(await delivers(database))) return undefined;
  return (
    `the totals elsewhere were not compared: the ledger has schema version ${version}, and this release uses version ` +
    `${ledgerMigrations.length}; the next start of the server updates it`
  );
}

/** The loss that the ledger has on record, if its totals are elsewhere. */
async function knownLoss(database: ReadOnlyDatabase): Promise<string | undefined> {
  const { gap } = await readFacts(database);
  return gap && (await delivers(database)) ? gap.reason : undefined;
}

function unfinishedErase(file: string): readonly string[] {
  const names = countErasing(file);
  const which = names === 1 ? 'one name' : `${names} names`;
  return names === 0 ? [] : [`tonnage ledger erase was broken off for ${which}: run it again, as it was`];
}

/** What to do, where the message does not say it. */
function adviceOn({ code }: TonnageError): string {
  if (code !== 'redis_refused' && code !== 'store_invalid') return '';
  return '; mend that at the Redis, or its address and credentials in the configuration: delivery then goes on by itself';
}

/** What to say of a ledger whose batches go to a store that the configuration does not name. */
async function deliversElsewhere(file: string): Promise<readonly string[]> {
  if (!(await withReadOnly(file, delivers))) return [];
  return [
    'this ledger delivers to a Redis, which this configuration does not name, so that was not compared: name the ' +
      "server's configuration with --config",
  ];
}

function readOnlyFacts(file: string): Promise<LedgerFacts> {
  return withReadOnly(file, readFacts);
}

async function withReadOnly<T>(file: string, work: (database: ReadOnlyDatabase) => Promise<T>): Promise<T> {
  const database = openLedgerReadOnly(file);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

async function withRemote<T>(
  file: string,
  open: OpenRemote | undefined,
  work: (remote: RemoteCare | undefined) => Promise<T>,
): Promise<T> {
  if (!open) return work(undefined);
  const remote = await open(await withLedgerFile(file, readFacts));
  try {
    return await work(remote);
  } finally {
    await remote.close();
  }
}

/** The texts under which the ledger may know somebody. */
function namesOf(erased: Erased, { hashKey }: LedgerFacts, { pseudonymKey }: LedgerCareOptions): ErasedNames {
  if ('org' in erased) {
    return { dimension: 'org', values: [...new Set([erased.org, canonicalOrganisation(erased.org) ?? erased.org])] };
  }
  const keys = [hashKey, ...(pseudonymKey ? [pseudonymKey] : [])];
  const pseudonyms = keys.map((key) => new Pseudonyms(key).of('user', erased.user));
  return { dimension: 'user', values: [...new Set([erased.user, ...pseudonyms])] };
}

/** Does something with a ledger, which is there, while nobody else can. Makes nothing where there is none. */
async function aloneWith<T>(file: string, data: string, work: () => Promise<T>): Promise<T> {
  assertLedger(file);
  return alone(data, work);
}

/** Does something in a data directory while nobody else can. */
async function alone<T>(data: string, work: () => Promise<T>): Promise<T> {
  makeDirectory(data);
  const lock = lockFile(join(data, 'lock'));
  try {
    return await work();
  } finally {
    lock.release();
  }
}
