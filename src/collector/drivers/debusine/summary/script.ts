import { baseTables, changeTables, createCompaction, lockKey } from './compaction.ts';
import { allFileCounts, allFileSizes } from './fill.ts';
import { pendingFileCounts, pendingFileSizes } from './pending.ts';
import { createRecordFunctions, createTriggers, dropTriggers, recorded } from './triggers.ts';
import { summaryVersion } from './version.ts';

/**
 * The rest of the transaction runs as the owner of Debusine's tables, also if a superuser has started it. So the functions of
 * the summary, which run with the rights of their owner, have no more rights than Debusine itself.
 */
const asOwner = `
DO $body$
DECLARE
  owner name := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'public.db_fileinartifact'::regclass);
BEGIN
  IF to_regnamespace('tonnage') IS NULL THEN
    EXECUTE format('CREATE SCHEMA tonnage AUTHORIZATION %I', owner);
  END IF;
  EXECUTE format('SET LOCAL ROLE %I', owner);
END
$body$;`;

// Shorter than deadlock_timeout: in a deadlock this transaction gives way, and Debusine's go on.
const giveWay = `SET LOCAL lock_timeout = '500ms';`;

// Two commands at once make or remove the same objects one after the other. Compaction uses another key.
const alone = `SELECT pg_advisory_xact_lock(${lockKey} + 1);`;

const tables = `
${recorded
  .map(
    ({ changes, definition }) => `CREATE TABLE IF NOT EXISTS tonnage.${changes} (${definition}, n integer NOT NULL);`,
  )
  .join('\n')}
CREATE TABLE IF NOT EXISTS tonnage.file_sizes (
  category text, workspace_id bigint, bucket integer, files bigint NOT NULL, bytes numeric NOT NULL,
  PRIMARY KEY (category, workspace_id, bucket)
);
CREATE TABLE IF NOT EXISTS tonnage.file_counts (
  category text, workspace_id bigint, bucket integer, artifacts bigint NOT NULL, files numeric NOT NULL,
  PRIMARY KEY (category, workspace_id, bucket)
);
CREATE TABLE IF NOT EXISTS tonnage.compaction_due (due boolean NOT NULL);
CREATE TABLE IF NOT EXISTS tonnage.failure (at timestamptz NOT NULL, message text NOT NULL);`;

const noteFailure = `
CREATE OR REPLACE FUNCTION tonnage.note_failure(message text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
  INSERT INTO tonnage.failure SELECT clock_timestamp(), message WHERE NOT EXISTS (SELECT FROM tonnage.failure);
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'tonnage: the summary is wrong: %; %', message, SQLERRM;
END
$body$;`;

/** Reads what the recorded changes add, with the rights of the owner: a reader needs the views only. */
const pendingFunctions = [
  { name: 'pending_file_sizes', columns: 'files bigint, bytes numeric', query: pendingFileSizes },
  { name: 'pending_file_counts', columns: 'artifacts bigint, files numeric', query: pendingFileCounts },
]
  .map(
    ({ name, columns, query }) => `
CREATE OR REPLACE FUNCTION tonnage.${name}()
RETURNS TABLE (category text, workspace_id bigint, bucket integer, ${columns})
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $body$${query}
$body$;`,
  )
  .join('\n');

// The views depend on no table of Debusine, because Debusine could not alter a column that a view uses.
const views = `
CREATE OR REPLACE VIEW tonnage.artifact_file_sizes AS
  SELECT category, workspace_id, bucket, sum(files)::bigint AS files, sum(bytes) AS bytes
  FROM (SELECT * FROM tonnage.file_sizes UNION ALL SELECT * FROM tonnage.pending_file_sizes()) AS t
  GROUP BY 1, 2, 3 HAVING sum(files) <> 0;
CREATE OR REPLACE VIEW tonnage.artifact_file_counts AS
  SELECT category, workspace_id, bucket, sum(artifacts)::bigint AS artifacts, sum(files) AS files
  FROM (SELECT * FROM tonnage.file_counts UNION ALL SELECT * FROM tonnage.pending_file_counts()) AS t
  GROUP BY 1, 2, 3 HAVING sum(artifacts) <> 0;
CREATE OR REPLACE VIEW tonnage.summary_state AS
  SELECT ${summaryVersion} AS version, (SELECT message FROM tonnage.failure LIMIT 1) AS failure;`;

/**
 * The first transaction of the installation: from its end on, all changes are recorded. It locks Debusine's tables against
 * writers for as long as it takes to create triggers.
 */
const record = `
BEGIN;
${giveWay}
${alone}
${asOwner}
LOCK TABLE ${baseTables} IN SHARE ROW EXCLUSIVE MODE;
${tables}
${noteFailure}
${pendingFunctions}
${createCompaction}
${createRecordFunctions}
${createTriggers}
COMMIT;`;

/**
 * The second transaction: computes the sums in one snapshot, and deletes the changes that the snapshot contains. It takes
 * no lock that a writer waits for. Readers see the summary from its end on.
 */
const fill = `
BEGIN ISOLATION LEVEL REPEATABLE READ;
LOCK TABLE ${baseTables} IN ACCESS SHARE MODE;
${asOwner}
SET LOCAL work_mem = '64MB';
SET LOCAL jit = off;
DELETE FROM tonnage.file_sizes;
DELETE FROM tonnage.file_counts;
DELETE FROM tonnage.failure;
${recorded.map(({ changes }) => `DELETE FROM tonnage.${changes};`).join('\n')}
INSERT INTO tonnage.file_sizes ${allFileSizes};
INSERT INTO tonnage.file_counts ${allFileCounts};
${views}
COMMIT;`;

// Taken before the snapshot of the second transaction. Compaction never waits for it, and pauses meanwhile.
const pauseCompaction = `SELECT pg_advisory_lock(${lockKey});`;
const resumeCompaction = `SELECT pg_advisory_unlock(${lockKey});`;

/**
 * The steps of the installation, each with at most one transaction, for one session. A repeated installation computes the
 * sums again.
 */
export const installSteps = [record, pauseCompaction, fill, resumeCompaction] as const;

const functions = [
  ...recorded.map(({ changes }) => `record_${changes}()`),
  'compact_at_commit()',
  'compact()',
  'pending_file_sizes()',
  'pending_file_counts()',
  'note_failure(text)',
];

/** Removes everything that the installation has created, in one transaction. */
export const removeSteps = [
  `
BEGIN;
${giveWay}
${alone}
${asOwner}
LOCK TABLE ${baseTables} IN ACCESS EXCLUSIVE MODE;
${dropTriggers}
DROP VIEW IF EXISTS tonnage.summary_state, tonnage.artifact_file_sizes, tonnage.artifact_file_counts;
DROP TABLE IF EXISTS tonnage.compaction_due, tonnage.failure, tonnage.file_sizes, tonnage.file_counts, ${changeTables};
${functions.map((each) => `DROP FUNCTION IF EXISTS tonnage.${each};`).join('\n')}
DROP SCHEMA IF EXISTS tonnage;
COMMIT;`,
] as const;
