import type { Connection } from '../../../postgres/connection.ts';
import type { Query } from '../family.ts';
import { summaryVersion } from './version.ts';

/** Which of the named views exist and may be read. Reads the catalog, because naming a view that is missing is an error. */
const readableViews = `
  SELECT count(*)
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  WHERE n.nspname || '.' || c.relname = ANY ($1::text[])
    AND has_schema_privilege(n.oid, 'USAGE')
    AND has_any_column_privilege(c.oid, 'SELECT')`;

/**
 * Whether a query can read the summary in place of the tables: it is there, the role may read it, it is of the known
 * version, and no trigger has failed to record a change. Rejects as `Connection.query`.
 */
export async function hasSummary(
  { reads }: NonNullable<Query['fromSummary']>,
  connection: Connection,
  signal: AbortSignal,
): Promise<boolean> {
  const views = Object.keys(reads).filter((name) => name.startsWith('tonnage.'));
  const [readable] = await connection.query(readableViews, [`{${views.join(',')}}`], signal);
  if (Number(readable?.[0]) !== views.length) return false;
  const [state] = await connection.query('SELECT version, failure FROM tonnage.summary_state', [], signal);
  return state?.[0] === String(summaryVersion) && state[1] === null;
}
