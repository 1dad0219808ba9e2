import { limits, pause, TonnageError } from '../../../base/index.ts';
import type { SourceSettings } from '../../contract.ts';
import { Connection } from '../../postgres/connection.ts';
import { databaseError, serverCode } from '../../postgres/database-error.ts';
import { parsePostgresDsn, postgresDsnForm } from '../../postgres/dsn.ts';
import { optionalFamilies } from './optional-families.ts';
import type { DebusineOptions } from './options.ts';
import { installSteps, removeSteps } from './summary/script.ts';

export { grantStatements } from './grants.ts';

/** Names of the families that a configuration can switch on. */
export const optionalNames: readonly string[] = optionalFamilies.map(({ name }) => name);

/** Names of the optional families that a source of this driver has switched on. */
export function familiesOf(source: SourceSettings): readonly string[] {
  const { families } = debusineKeys(source);
  return optionalFamilies.filter(({ name }) => families[name] !== undefined).map(({ name }) => name);
}

/** The URL of the database of a source. */
export function dsnOf(source: SourceSettings): string {
  return debusineKeys(source).dsn.reveal();
}

/** The SQL that installs the summary, or removes it: steps with a transaction each. */
export function summarySteps(remove: boolean): readonly string[] {
  return remove ? removeSteps : installSteps;
}

/** How often a step is tried while other transactions hold the locks that it needs. */
const triesMax = 20;

interface SummaryChange {
  /** Removes the summary instead of installing it. */
  readonly remove: boolean;
  /** Interrupts the change. */
  readonly signal: AbortSignal;
}

/**
 * Installs or removes the summary in the database of a URL. If another transaction holds a lock that a step needs, the
 * step gives way and begins again. If an installation fails or is interrupted, what it has made is removed. Rejects with
 * `source_failed`, without the URL.
 */
export async function changeSummary(dsn: string, { remove, signal }: SummaryChange): Promise<void> {
  let isHalfInstalled = false;
  try {
    await withConnection(dsn, signal, async (connection) => {
      // The server then notices within this time that an interrupted command is gone, and ends its statement.
      await connection.execute(`SET client_connection_check_interval = '500ms'`, signal);
      const isNew = !remove && !(await isInstalled(connection, signal));
      for (const step of summarySteps(remove)) {
        await runStep(connection, step, signal);
        isHalfInstalled = isNew;
      }
    });
  } catch (thrown) {
    if (isHalfInstalled) await removeHalf(dsn);
    throw signal.aborted ? new TonnageError('source_failed', 'the command was interrupted') : explained(thrown);
  }
}

async function withConnection(
  dsn: string,
  signal: AbortSignal,
  work: (connection: Connection) => Promise<void>,
): Promise<void> {
  const connection = await Connection.open(dsn, signal);
  try {
    await work(connection);
  } finally {
    await connection.end();
  }
}

/** Whether readers see a summary: the last step of an installation makes the view. */
async function isInstalled(connection: Connection, signal: AbortSignal): Promise<boolean> {
  const [row] = await connection.query(`SELECT to_regclass('tonnage.summary_state') IS NOT NULL`, [], signal);
  return row?.[0] === 't';
}

/** Removes a summary that readers do not see. Rejects with `source_failed` if that fails too. */
async function removeHalf(dsn: string): Promise<void> {
  const { signal } = new AbortController();
  try {
    await withConnection(dsn, signal, async (connection) => {
      // Another installation may have ended meanwhile.
      if (await isInstalled(connection, signal)) return;
      for (const step of removeSteps) await runStep(connection, step, signal);
    });
  } catch (cause) {
    throw new TonnageError('source_failed', 'the installation is incomplete; repeat it, or undo it with --remove', {
      cause,
    });
  }
}

async function runStep(connection: Connection, step: string, signal: AbortSignal): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await connection.execute(step, signal);
      return;
    } catch (thrown) {
      await connection.execute('ROLLBACK', signal);
      if (serverCode(thrown) !== '55P03' || tries === triesMax) throw thrown;
      await pause(limits.debusineLockRetryMs, signal);
    }
  }
}

function explained(thrown: unknown): TonnageError {
  const { message } = databaseError(thrown);
  // A wrong password has another code, and another role would not help.
  const hint =
    serverCode(thrown) === '42501'
      ? 'expected a role that owns the tables of Debusine, or a superuser: name a file with its URL with --dsn-file, or pipe the output of --print into psql'
      : message;
  return new TonnageError('source_failed', hint, { cause: thrown });
}

/** The URL of a text if it names a PostgreSQL database. Throws `source_failed`, without the text. */
export function checkedDsn(text: string): string {
  const dsn = parsePostgresDsn(text.trim());
  if (dsn !== undefined) return dsn;
  throw new TonnageError(
    'source_failed',
    `expected ${postgresDsnForm}, got something else (not shown, since it is a secret)`,
  );
}

/** The driver's own keys. The configuration has checked them, because the source has this driver. */
function debusineKeys(source: SourceSettings): DebusineOptions {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the form of the source depends on its driver's name
  return source as SourceSettings & DebusineOptions;
}
