import { recorded } from './triggers.ts';

/** Key of the advisory lock of compaction and installation: the letters of `tonnage`. */
export const lockKey = `x'746f6e6e616765'::bigint`;

const names = (schema: string, of: (table: (typeof recorded)[number]) => string) =>
  recorded.map((table) => `${schema}.${of(table)}`).join(', ');

export const baseTables = names('public', ({ table }) => table);
export const changeTables = names('tonnage', ({ changes }) => changes);

/**
 * Adds the recorded changes to the sums and deletes them, in one statement and so in one snapshot. It waits for nothing:
 * if a lock is taken, it leaves the work to a later transaction.
 */
const compact = `
CREATE OR REPLACE FUNCTION tonnage.compact() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $body$
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' OR NOT pg_try_advisory_xact_lock(${lockKey}) THEN
    RETURN false;
  END IF;
  LOCK TABLE ${baseTables} IN ACCESS SHARE MODE NOWAIT;
  LOCK TABLE tonnage.file_sizes, tonnage.file_counts, ${changeTables} IN ROW EXCLUSIVE MODE NOWAIT;
  WITH sizes AS (
    INSERT INTO tonnage.file_sizes AS t SELECT * FROM tonnage.pending_file_sizes()
    ON CONFLICT (category, workspace_id, bucket)
      DO UPDATE SET files = t.files + excluded.files, bytes = t.bytes + excluded.bytes
  ), counts AS (
    INSERT INTO tonnage.file_counts AS t SELECT * FROM tonnage.pending_file_counts()
    ON CONFLICT (category, workspace_id, bucket)
      DO UPDATE SET artifacts = t.artifacts + excluded.artifacts, files = t.files + excluded.files
  ), ${recorded.map(({ changes }, index) => `change_${index} AS (DELETE FROM tonnage.${changes})`).join(', ')}
  DELETE FROM tonnage.compaction_due;
  DELETE FROM tonnage.file_sizes WHERE files = 0;
  DELETE FROM tonnage.file_counts WHERE artifacts = 0;
  RETURN true;
EXCEPTION
  WHEN lock_not_available THEN
    RETURN false;
  WHEN OTHERS THEN
    RAISE WARNING 'tonnage: the summary was not compacted: %', SQLERRM;
    RETURN false;
END
$body$;`;

/**
 * At commit all statements of a transaction have recorded what they changed. Within one they may not have: a statement
 * that changes two tables records one before the other. `SET CONSTRAINTS ALL IMMEDIATE` makes the trigger fire there.
 */
const compactAtCommit = `
CREATE OR REPLACE FUNCTION tonnage.compact_at_commit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
  IF pg_trigger_depth() = 1 THEN
    PERFORM tonnage.compact();
  END IF;
  RETURN NULL;
END
$body$;
DROP TRIGGER IF EXISTS compact ON tonnage.compaction_due;
CREATE CONSTRAINT TRIGGER compact AFTER INSERT ON tonnage.compaction_due DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION tonnage.compact_at_commit();
ALTER TABLE tonnage.compaction_due ENABLE ALWAYS TRIGGER compact;`;

export const createCompaction = `${compact}\n${compactAtCommit}`;
