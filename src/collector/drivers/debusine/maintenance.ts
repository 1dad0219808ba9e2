import { limits, pause, TonnageError } from '../../../base/index.ts';
import type { SourceSettings } from '../../contract.ts';
import { Connection } from '../../postgres/connection.ts';
import { databaseError, serverCode } from '../../postgres/database-error.ts';
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

/**
 * Installs or removes the summary in the database of a URL. If another transaction holds a lock that a step needs, the
 * step gives way and begins again. Rejects with `source_failed`, without the URL.
 */
export async function changeSummary(dsn: string, remove: boolean): Promise<void> {
  const aborting = new AbortController();
  let connection: Connection | undefined;
  try {
    connection = await Connection.open(dsn, aborting.signal);
    for (const step of summarySteps(remove)) await runStep(connection, step, aborting.signal);
  } catch (thrown) {
    throw explained(thrown);
  } finally {
    await connection?.end();
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
  const { errorClass, message } = databaseError(thrown);
  const hint =
    errorClass === 'denied'
      ? 'expected a role that owns the tables of Debusine, or a superuser: name a file with its URL with --dsn-file, or pipe the output of --print into psql'
      : message;
  return new TonnageError('source_failed', hint, { cause: thrown });
}

/** The driver's own keys. The configuration has checked them, because the source has this driver. */
function debusineKeys(source: SourceSettings): DebusineOptions {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the form of the source depends on its driver's name
  return source as SourceSettings & DebusineOptions;
}
