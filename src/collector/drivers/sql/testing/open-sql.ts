import { systemClock, type Log } from '../../../../base/index.ts';
import { createConfigReader } from '../../../../config/index.ts';
import { sourceDriverEntry } from '../../../../wiring/index.ts';
import type { ScheduledSource } from '../../../contract.ts';
import { sqlOptions } from '../options.ts';

const driver = sourceDriverEntry(sqlOptions, () => import('../../sql.ts'));
const reader = createConfigReader({ sql: sqlOptions });
const none = () => undefined;

interface OpenOptions {
  /** Receives the warnings of the driver. */
  readonly warn?: Log['warn'];
  /** Keys of the source besides name, driver, DSN and queries. */
  readonly keys?: object;
}

/** The sources of a database with these queries, as the program creates them. The caller closes them. */
export async function openSql(
  dsn: string,
  queries: readonly object[],
  { warn = none, keys = {} }: OpenOptions = {},
): Promise<readonly ScheduledSource[]> {
  const text = JSON.stringify({ sources: [{ name: 'shop', driver: 'sql', dsn, queries, ...keys }] });
  const file = { name: 'tonnage.yaml', text, directory: '/' };
  const { sources } = reader.read({ file, environment: {}, workingDirectory: '/', readSecret: () => '' });
  const log: Log = { debug: none, info: none, warn, error: none };
  const opened = await Promise.all(sources.map((each) => driver.open(each, { clock: systemClock, log })));
  return opened.flat();
}

/** The first of these sources. */
export async function openFirst(...args: Parameters<typeof openSql>): Promise<ScheduledSource> {
  const [first] = await openSql(...args);
  if (first === undefined) throw new Error('expected a source');
  return first;
}
