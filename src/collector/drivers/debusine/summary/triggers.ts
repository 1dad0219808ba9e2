/** A table of Debusine whose changes are recorded. */
interface Recorded {
  readonly table: string;
  /** The table of its changes. */
  readonly changes: string;
  /** The columns that matter, as the table of its changes has them. */
  readonly columns: string;
  readonly definition: string;
  /** What becomes of the sums when the table is truncated, which makes its join with the other tables empty. */
  readonly onTruncate: string;
}

/** In the order in which they are locked. */
export const recorded: readonly Recorded[] = [
  {
    table: 'db_fileinartifact',
    changes: 'file_in_artifact_change',
    columns: 'artifact_id, file_id',
    definition: 'artifact_id bigint, file_id bigint',
    // Every artifact has no file now.
    onTruncate: `
    DELETE FROM tonnage.file_sizes;
    WITH before AS (DELETE FROM tonnage.file_counts RETURNING category, workspace_id, artifacts)
      INSERT INTO tonnage.file_counts
      SELECT category, workspace_id, 0, sum(artifacts), 0 FROM before GROUP BY 1, 2;`,
  },
  {
    table: 'db_artifact',
    changes: 'artifact_change',
    columns: 'id, category, workspace_id',
    definition: 'id bigint, category text, workspace_id bigint',
    onTruncate: `
    DELETE FROM tonnage.file_sizes;
    DELETE FROM tonnage.file_counts;`,
  },
  {
    table: 'db_file',
    changes: 'file_change',
    columns: 'id, size',
    definition: 'id bigint, size bigint',
    onTruncate: `
    DELETE FROM tonnage.file_sizes;`,
  },
];

/** Triggers by the statement that fires them, with the names of the rows before and after it. */
const statements = [
  { statement: 'INSERT', rows: 'REFERENCING NEW TABLE AS new_rows' },
  { statement: 'UPDATE', rows: 'REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows' },
  { statement: 'DELETE', rows: 'REFERENCING OLD TABLE AS old_rows' },
  { statement: 'TRUNCATE', rows: '' },
] as const;

const nameOf = (statement: string) => `tonnage_${statement.toLowerCase()}`;

export const dropTriggers = recorded
  .flatMap(({ table }) =>
    statements.map(({ statement }) => `DROP TRIGGER IF EXISTS ${nameOf(statement)} ON public.${table};`),
  )
  .join('\n');

/**
 * ALWAYS: the triggers also fire where `session_replication_role` is `replica`, as in scripts that load data.
 */
export const createTriggers = recorded
  .flatMap(({ table, changes }) =>
    statements.flatMap(({ statement, rows }) => [
      `CREATE OR REPLACE TRIGGER ${nameOf(statement)} AFTER ${statement} ON public.${table}${rows && ` ${rows}`}`,
      `  FOR EACH STATEMENT EXECUTE FUNCTION tonnage.record_${changes}();`,
      `ALTER TABLE public.${table} ENABLE ALWAYS TRIGGER ${nameOf(statement)};`,
    ]),
  )
  .join('\n');

/** One in this many recorded rows makes its transaction compact at commit. */
const rowsPerCompaction = 1_000;

/**
 * Definition of the function that records the changes of one table. It never makes the statement of Debusine fail: if it
 * cannot record, because a later release of Debusine has other columns for example, it notes that the summary is wrong.
 */
function recordFunction({ changes, columns, onTruncate }: Recorded): string {
  return `
CREATE OR REPLACE FUNCTION tonnage.record_${changes}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  recorded bigint;
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO tonnage.${changes} SELECT ${columns}, 1 FROM new_rows;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO tonnage.${changes} SELECT ${columns}, -1 FROM old_rows;
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO tonnage.${changes}
      SELECT ${columns}, sum(n)
      FROM (SELECT ${columns}, 1 AS n FROM new_rows UNION ALL SELECT ${columns}, -1 FROM old_rows) AS changed
      GROUP BY ${columns} HAVING sum(n) <> 0;
  ELSIF current_setting('transaction_isolation') = 'read committed' THEN
    -- TRUNCATE. It waited for the transactions that changed or compacted this table, so no row is locked here.
    DELETE FROM tonnage.${changes};${onTruncate}
    RETURN NULL;
  ELSE
    RAISE EXCEPTION 'TRUNCATE at the isolation level %', current_setting('transaction_isolation');
  END IF;
  GET DIAGNOSTICS recorded = ROW_COUNT;
  IF random() < recorded / ${rowsPerCompaction}.0 THEN
    INSERT INTO tonnage.compaction_due VALUES (true);
  END IF;
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  PERFORM tonnage.note_failure(TG_TABLE_NAME || ': ' || SQLERRM);
  RETURN NULL;
END
$body$;`;
}

export const createRecordFunctions = recorded.map(recordFunction).join('\n');
