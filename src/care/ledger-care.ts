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

/** What to erase: an organisation, or a user by name or pseudonym. */
export type Erased = { readonly org: string } | { readonly user: string };

export interface LedgerCareOptions {
  readonly file: LedgerFile;
  /** The store that the configuration names; absent: totals are in the ledger file. */
  readonly remote?: RemoteStore;
  /** Names of all meters. */
  readonly meters: readonly string[];
  /** The key of pseudonyms. Default: the ledger's own. */
  readonly pseudonymKey?: Uint8Array;
  readonly clock: Clock;
  readonly random: Random;
}

/** The maintenance of a ledger. `check`, `deliversElsewhere` and `backup` work while a server runs. */
export interface LedgerCare {
  /** Looks for what is wrong, one line each. `notes`: what could not be checked. */
  check(onProgress?: OnProgress): Promise<Comparison>;
  /** The name of the store that the configuration names; absent: totals are in the ledger file. */
  readonly remote?: string;
  /** Whether the ledger delivers to a store that the configuration does not name. */
  deliversElsewhere(): Promise<boolean>;
  /** Copies the ledger to a file that does not exist yet. */
  backup(copy: string): Promise<void>;
  // All below reject with `data_locked` while a server runs.
  /** Makes all sums again, in the ledger and then in the remote store. Resolves with what was wrong in the latter. */
  rebuild(onProgress?: OnProgress): Promise<Rebuilt | undefined>;
  /** Replaces the ledger by a backup. `takesFindings`: also by one that a rebuild has to repair afterwards. */
  restore(backup: string, takesFindings?: boolean): Promise<Restored>;
  /** Moves the totals to the store `to` (absent: to the ledger file). */
  migrate(to: RemoteStore | undefined, onProgress?: OnProgress): Promise<Migrated>;
  /** Looks up what is counted under a name. */
  planErase(erased: Erased): Promise<ErasePlan>;
  /** Erases a name. Its counts stay, without the name. */
  erase(erased: Erased, onProgress?: OnProgress): Promise<void>;
}

/** Returns the maintenance of a ledger. */
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
    backup: (copy) => file.backup(copy),
    restore: (backup, takesFindings = false) => file.alone(() => file.restore(backup, takesFindings)),
    rebuild: async (onProgress) =>
      alone((remote) => rebuildLedger({ ...common, ...remote, ...(onProgress && { onProgress }) })),
    migrate: async (to, onProgress) =>
      alone(({ remote: source }) =>
        withRemote(file, to, (destination) =>
          migrateLedger({
            ...common,
            ...(source && { source }),
            ...(destination && { destination }),
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

/** Checks the file, then compares it with the remote store if that is reachable. */
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

/** Compares the ledger with the store that the configuration names. Adds to the findings and notes so far. */
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
    // An unreachable or busy store recovers by itself. Everything else needs the operator.
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

/** Why a ledger with an older schema cannot be compared with its remote store; `undefined` for the current schema. */
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

/** What to do, if the message does not say it. */
function adviceOn({ code }: TonnageError, { name }: RemoteStore): string {
  if (code !== 'redis_refused' && code !== 'store_invalid') return '';
  return `; mend that at the ${name}, or its address and credentials in the configuration: delivery then goes on by itself`;
}

/** The note for a ledger that delivers to a store that the configuration does not name. */
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

/** The texts under which the ledger may have the name. */
function namesOf(erased: Erased, { hashKey }: LedgerFacts, { pseudonymKey }: LedgerCareOptions): ErasedNames {
  if ('org' in erased) {
    return { dimension: 'org', values: [...new Set([erased.org, canonicalOrganisation(erased.org) ?? erased.org])] };
  }
  const keys = [hashKey, ...(pseudonymKey ? [pseudonymKey] : [])];
  const pseudonyms = keys.map((key) => new Pseudonyms(key).of('user', erased.user));
  return { dimension: 'user', values: [...new Set([erased.user, ...pseudonyms])] };
}
