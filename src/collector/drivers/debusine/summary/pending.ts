import { bounds, bucketOf } from '../buckets.ts';

/*
 * The summary is exact although transactions run at the same time: the triggers read no table. They record which rows
 * came (+1) and which went (-1). A row of the tables and its record become visible together, so a reader that sees both
 * in one snapshot can compute what the recorded changes add to the sums.
 *
 * The sums are those of a join of three tables R (files in artifacts), A (artifacts) and F (files). With dR, dA and dF as
 * the recorded changes, the tables before were R - dR, A - dA and F - dF. Multiplied out, the difference of the joins is
 *   dR A F + R dA F + R A dF - dR dA F - dR A dF - R dA dF + dR dA dF.
 * The order of the changes does not matter, and each term begins with the few changed rows.
 */

/** The recorded changes, with those that cancel out left out. */
const changes = `
  dr AS MATERIALIZED (
    SELECT artifact_id, file_id, sum(n) AS n FROM tonnage.file_in_artifact_change GROUP BY 1, 2 HAVING sum(n) <> 0
  ),
  da AS MATERIALIZED (
    SELECT id, category, workspace_id, sum(n) AS n FROM tonnage.artifact_change GROUP BY 1, 2, 3 HAVING sum(n) <> 0
  )`;

// OFFSET 0 keeps the planner from joining the whole table: without statistics about the changes, it might.
const artifact = (id: string) =>
  `LATERAL (SELECT category, workspace_id FROM public.db_artifact WHERE id = ${id} OFFSET 0) AS a`;
const file = (id: string) => `LATERAL (SELECT size FROM public.db_file WHERE id = ${id} OFFSET 0) AS f`;
const filesOf = (artifactId: string) =>
  `LATERAL (SELECT file_id FROM public.db_fileinartifact WHERE artifact_id = ${artifactId} OFFSET 0) AS r`;
const artifactsWith = (fileId: string) =>
  `LATERAL (SELECT artifact_id FROM public.db_fileinartifact WHERE file_id = ${fileId} OFFSET 0) AS r`;

/** What the recorded changes add to `tonnage.file_sizes`. */
export const pendingFileSizes = `
WITH ${changes},
  df AS MATERIALIZED (
    SELECT id, size, sum(n) AS n FROM tonnage.file_change GROUP BY 1, 2 HAVING sum(n) <> 0
  ),
  difference AS (
    SELECT a.category, a.workspace_id, f.size, dr.n
      FROM dr, ${artifact('dr.artifact_id')}, ${file('dr.file_id')}
    UNION ALL
    SELECT da.category, da.workspace_id, f.size, da.n
      FROM da, ${filesOf('da.id')}, ${file('r.file_id')}
    UNION ALL
    SELECT a.category, a.workspace_id, df.size, df.n
      FROM df, ${artifactsWith('df.id')}, ${artifact('r.artifact_id')}
    UNION ALL
    SELECT da.category, da.workspace_id, f.size, -dr.n * da.n
      FROM dr JOIN da ON da.id = dr.artifact_id, ${file('dr.file_id')}
    UNION ALL
    SELECT a.category, a.workspace_id, df.size, -dr.n * df.n
      FROM dr JOIN df ON df.id = dr.file_id, ${artifact('dr.artifact_id')}
    UNION ALL
    SELECT da.category, da.workspace_id, df.size, -da.n * df.n
      FROM df CROSS JOIN ${artifactsWith('df.id')} JOIN da ON da.id = r.artifact_id
    UNION ALL
    SELECT da.category, da.workspace_id, df.size, dr.n * da.n * df.n
      FROM dr JOIN da ON da.id = dr.artifact_id JOIN df ON df.id = dr.file_id
  )
SELECT category::text, workspace_id, ${bucketOf('size', bounds.fileBytes)}, sum(n)::bigint, sum(n * size::numeric)
FROM difference
GROUP BY 1, 2, 3
HAVING sum(n) <> 0 OR sum(n * size::numeric) <> 0`;

/** What the recorded changes add to `tonnage.file_counts`: each changed artifact leaves its bucket and joins another. */
export const pendingFileCounts = `
WITH ${changes},
  touched AS (SELECT artifact_id AS id, n FROM dr UNION ALL SELECT id, 0 FROM da),
  counted AS MATERIALIZED (
    SELECT c.id, r.files, r.files - c.added AS files_before
    FROM (SELECT id, sum(n) AS added FROM touched GROUP BY 1) AS c,
      LATERAL (SELECT count(*) AS files FROM public.db_fileinartifact WHERE artifact_id = c.id) AS r
  ),
  difference AS (
    SELECT a.category, a.workspace_id, c.files, 1 AS n FROM counted AS c, ${artifact('c.id')}
    UNION ALL
    SELECT a.category, a.workspace_id, c.files_before, -1 FROM counted AS c, ${artifact('c.id')}
    UNION ALL
    SELECT da.category, da.workspace_id, c.files_before, da.n FROM da JOIN counted AS c ON c.id = da.id
  )
SELECT category::text, workspace_id, ${bucketOf('files::bigint', bounds.fileCount)}, sum(n)::bigint, sum(n * files)
FROM difference
GROUP BY 1, 2, 3
HAVING sum(n) <> 0 OR sum(n * files) <> 0`;
