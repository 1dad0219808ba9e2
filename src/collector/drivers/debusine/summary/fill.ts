import { bounds, bucketOf } from '../buckets.ts';

/** What `tonnage.file_sizes` must contain: files and bytes by category, workspace and bucket. */
export const allFileSizes = `
SELECT a.category::text, a.workspace_id, ${bucketOf('f.size', bounds.fileBytes)}, count(*), sum(f.size)
FROM public.db_fileinartifact AS r
  JOIN public.db_artifact AS a ON a.id = r.artifact_id
  JOIN public.db_file AS f ON f.id = r.file_id
GROUP BY 1, 2, 3`;

/** What `tonnage.file_counts` must contain: artifacts and their files by category, workspace and bucket. */
export const allFileCounts = `
SELECT a.category::text, a.workspace_id, ${bucketOf('coalesce(r.files, 0)', bounds.fileCount)},
  count(*), coalesce(sum(r.files), 0)
FROM public.db_artifact AS a
  LEFT JOIN (SELECT artifact_id, count(*) AS files FROM public.db_fileinartifact GROUP BY 1) AS r
    ON r.artifact_id = a.id
GROUP BY 1, 2, 3`;
