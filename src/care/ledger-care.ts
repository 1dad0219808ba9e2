import { canonicalOrganisation, TonnageError, type Clock, type Random } from '../base/index.ts';
import type {
  ErasedNames,
  LedgerFacts,
  LedgerFile,
  LedgerFinding,
  LedgerReader,
  OnProgress,
  Rebuilt,
  RemoteCare,
  RemoteStore,
  Restored,
} from '../store/index.ts';
import { Pseudonyms } from '../usage/index.ts';
import { compareRemote, type Comparison } from './compare.ts';
import { eraseNames, planErase, type ErasePlan } from './erase.ts';
import { migrateLedger, type Migrated } from './migrate.ts';
import { rebuildLedger } from './rebuild.ts';

/** Who is to be forgotten: an organisation, or a user by name or pseudonym. */
export type Erased = { readonly org: string } | { readonly user: string };

export interface LedgerCareOptions {
  readonly file: LedgerFile;
  /** The store that the configuration names; absent: totals are in the ledger file. */
  readonly remote?: RemoteStore;
  /** Names of all meters that there are. */
  readonly meters: readonly string[];
  /** What pseudonyms are made with, where that is not the ledger's own key. */
  readonly pseudonymKey?: Uint8Array;
  readonly clock: Clock;
  readonly random: Random;
}

/** What can be done for the ledger of a data directory without a server. */
export interface LedgerCare {
  /** What is wrong, one line each, and what could not be looked at; also while a server is running. */
  check(onProgress?: OnProgress): Promise<Comparison>;
  /** The name of the store that the configuration names; absent: totals are in the ledger file. */
  readonly remote?: string;
  /** Whether the ledger delivers to a store that the configuration does not name; also while a server is running. */
  deliversElsewhere(): Promise<boolean>;
  /** Copies it to a file that does not exist yet; also while a server is running. */
  backup(target: string): Promise<void>;
  // All below throw `data_locked` while a server is running.
  /** Makes its sums anew, here and then where totals are kept; answers what was wrong there, where that is elsewhere. */
  rebuild(onProgress?: OnProgress): Promise<Rebuilt | undefined>;
  /** Puts a backup in its place, with `takesFindings` also one that a rebuild has to mend afterwards. */
  restore(backup: string, takesFindings?: boolean): Promise<Restored>;
  /** Takes its totals to the store `to` (absent: to the ledger file). */
  migrate(to: RemoteStore | undefined, onProgress?: OnProgress): Promise<Migrated>;
  /** What stands under a name, here and where totals are kept. */
  planErase(erased: Erased): Promise<ErasePlan>;
  /** Lets what was counted under a name count without it. */
  erase(erased: Erased, onProgress?: OnProgress): Promise<void>;
}

/** The maintenance of a ledger. */
export function createLedgerCare(options: LedgerCareOptions): LedgerCare {
  const { file, remote: store, meters, clock, random } = options;
  const common = { file, meters, clock, random, ...(store && { outboxBytesMax: store.outbox.bytesMax }) };
  /** Runs `work` under the lock, with the store that the configuration names. */
  const alone = <T>(work: (remote: { readonly remote?: RemoteCare }) => Promise<T>): Promise<T> => {
    file.assertThere();
    return file.alone(() => withRemote(file, store, (remote) => work(remote ? { remote } : {})));
  };
  const named = (erased: Erased, facts: LedgerFacts) => {
    const names = namesOf(erased, facts, options);
    return { names, mark: file.eraseMark(facts.hashKey, names) };
  };
  return {
    check: (onProgress) => check(options, onProgress),
    ...(store && { remote: store.name }),
    async deliversElsewhere() {
      file.assertThere();
      return store === undefined && (await file.read((ledger) => ledger.delivers()));
    },
    backup: (target) => file.backup(target),
    restore: (backup, takesFindings = false) => file.alone(() => file.restore(backup, takesFindings)),
    rebuild: async (onProgress) =>
      alone((remote) => rebuildLedger({ ...common, ...remote, ...(onProgress && { onProgress }) })),
    migrate: async (to, onProgress) =>
      alone(({ remote: source }) =>
        withRemote(file, to, (target) =>
          migrateLedger({
            ...common,
            ...(source && { source }),
            ...(target && { target }),
            ...(onProgress && { onProgress }),
          }),
        ),
      ),
    planErase: async (erased) =>
      alone((remote) =>
        file.edit(async (ledger) => planErase(ledger, { ...named(erased, await ledger.facts()), meters, ...remote })),
      ),
    erase: async (erased, onProgress) =>
      alone(async (remote) => {
        const facts = await file.edit((ledger) => ledger.facts());
        await eraseNames({ ...common, ...named(erased, facts), ...remote, ...(onProgress && { onProgress }) });
      }),
  };
}

/** The file by itself, then against the store that has the totals, where that can be reached. */
async function check(options: LedgerCareOptions, onProgress?: OnProgress): Promise<Comparison> {
  const { file } = options;
  const inFile = await file.inspect();
  const findings = inFile.map(({ line }) => line);
  if (findings.length > 0) return { findings, notes: [], remedy: remedyOf(inFile) };
  return file.read(async (ledger) => {
    if (!(await ledger.identity())) return { findings, notes: ['no server has counted into this ledger yet'] };
    const erasing = unfinishedErase(file);
    if (!(await ledger.delivers())) return checkRemote(ledger, options, { findings, notes: erasing }, onProgress);
    const outdated = await outdatedSchema(ledger);
    if (outdated !== undefined) return { findings, notes: [...erasing, outdated] };
    const { gap } = await ledger.facts();
    if (gap) return { findings: [`totals are incomplete (ledger_gap): ${gap.reason}`], notes: erasing };
    const elsewhere = options.remote ? [] : [unnamedStore];
    return checkRemote(ledger, options, { findings, notes: [...erasing, ...elsewhere] }, onProgress);
  });
}

/** Compares the ledger with the store that the configuration names, and adds to what was found so far. */
async function checkRemote(
  ledger: LedgerReader,
  { remote: store, meters }: LedgerCareOptions,
  { findings, notes }: Comparison,
  onProgress: OnProgress | undefined,
): Promise<Comparison> {
  if (!store) return { findings, notes };
  let remote: RemoteCare | undefined;
  try {
    remote = await store.openCare(await ledger.facts());
    const compared = await compareRemote({ ledger, remote, meters, ...(onProgress && { onProgress }) });
    return { ...compared, notes: [...notes, ...compared.notes] };
  } catch (error) {
    if (!(error instanceof TonnageError)) throw error;
    // That it is away, or has no time right now, passes. Everything else stays as it is until somebody helps.
    if (error.code === 'redis_unavailable') {
      return { findings, notes: [...notes, `${store.name} was not compared: ${error.message}`] };
    }
    const finding = `${store.name}: nothing is delivered (${error.code}): ${error.message}${adviceOn(error, store)}`;
    return { findings: [finding], notes };
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
async function outdatedSchema(ledger: LedgerReader): Promise<string | undefined> {
  const { version, current } = await ledger.schema();
  if (version >= current) return undefined;
  return (
    `the totals elsewhere were not compared: the ledger has schema version ${version}, and this release uses version ` +
    `${current}; the next start of the server updates it`
  );
}

function unfinishedErase(file: LedgerFile): readonly string[] {
  const names = file.unfinishedErases();
  const which = names === 1 ? 'one name' : `${names} names`;
  return names === 0 ? [] : [`tonnage ledger erase was broken off for ${which}: run it again, as it was`];
}

/** What to do, where the message does not say it. */
function adviceOn({ code }: TonnageError, { name }: RemoteStore): string {
  if (code !== 'redis_refused' && code !== 'store_invalid') return '';
  return `; mend that at the ${name}, or its address and credentials in the configuration: delivery then goes on by itself`;
}

/** What to say of a ledger whose batches go to a store that the configuration does not name. */
const unnamedStore =
  'this ledger delivers to a Redis, which this configuration does not name, so that was not compared: name the ' +
  "server's configuration with --config";

async function withRemote<T>(
  file: LedgerFile,
  store: RemoteStore | undefined,
  work: (remote: RemoteCare | undefined) => Promise<T>,
): Promise<T> {
  if (!store) return work(undefined);
  const remote = await store.openCare(await file.edit((ledger) => ledger.facts()));
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
