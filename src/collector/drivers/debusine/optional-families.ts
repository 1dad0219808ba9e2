import { LabelProduct, type HistogramPoint } from '../../../metric/index.ts';
import { bounds, countSums, cumulativeCounts, cumulativeSums } from './buckets.ts';
import { numberOf, type OptionalFamily, type Query, type Row } from './family.ts';
import { gauge } from './sums.ts';

/*
 * The families that Debusine's design document leaves for later. None has series for absent rows, whatever `zeroFill` says,
 * and `labelRules` changes none of their labels.
 */

const scopes = { db_workspace: ['id', 'scope_id'], db_scope: ['id', 'name'] } as const;
const joinScopes = `
      JOIN db_workspace ON db_workspace.id = t.workspace_id
      JOIN db_scope ON db_scope.id = db_workspace.scope_id`;

/** The columns of the summary, which `tonnage debusine install-summary` installs. */
const summaryState = { 'tonnage.summary_state': ['version', 'failure'] };
const fileSizesSummary = {
  'tonnage.artifact_file_sizes': ['category', 'workspace_id', 'bucket', 'files', 'bytes'],
  ...summaryState,
};
const fileCountsSummary = {
  'tonnage.artifact_file_counts': ['category', 'workspace_id', 'bucket', 'artifacts', 'files'],
  ...summaryState,
};

const filesInArtifacts = {
  reads: {
    db_fileinartifact: ['artifact_id', 'file_id'],
    db_artifact: ['id', 'category', 'workspace_id'],
    db_file: ['id', 'size'],
    ...scopes,
  },
  from: `db_fileinartifact
        JOIN db_artifact ON db_artifact.id = db_fileinartifact.artifact_id
        JOIN db_file ON db_file.id = db_fileinartifact.file_id`,
};

const fileSizeQuery: Query = {
  reads: filesInArtifacts.reads,
  sql: `
    SELECT t.category, db_scope.name, sum(t.bytes)
    FROM (
      SELECT db_artifact.category, db_artifact.workspace_id, sum(db_file.size) AS bytes
      FROM ${filesInArtifacts.from}
      GROUP BY 1, 2
    ) AS t${joinScopes}
    GROUP BY 1, 2`,
  fromSummary: {
    reads: { ...fileSizesSummary, ...scopes },
    sql: `
      SELECT t.category, db_scope.name, sum(t.bytes)
      FROM tonnage.artifact_file_sizes AS t${joinScopes}
      GROUP BY 1, 2`,
  },
};

const categoryLabels = ['category', 'scope'];

const artifactFileSize: OptionalFamily = {
  name: 'artifact_file_size',
  labels: () => categoryLabels,
  queries: [fileSizeQuery],
  // oxlint-disable-next-line require-yield -- There are few rows.
  *build(rows) {
    const product = new LabelProduct(categoryLabels);
    const points = rows(fileSizeQuery).map((row) => ({
      labels: product.of(labelsOf(row, 2)),
      value: numberOf(row[2]),
    }));
    const help = 'Bytes of the files in artifacts; a file counts once for each artifact that holds it';
    return gauge('artifact_file_size', help, points);
  },
};

interface Declared {
  readonly name: OptionalFamily['name'];
  readonly help: string;
  /** In the order of the query's columns. The columns after them are the cumulative counts and the sum. */
  readonly labels: readonly string[];
  readonly bounds: readonly number[];
  readonly query: Query;
}

function gaugeHistogram({ name, help, labels, bounds: upperBounds, query }: Declared): OptionalFamily {
  return {
    name,
    labels: () => labels,
    queries: [query],
    // oxlint-disable-next-line require-yield -- There are few rows.
    *build(rows) {
      const product = new LabelProduct(labels);
      const points: readonly HistogramPoint[] = rows(query).map((row) => ({
        labels: product.of(labelsOf(row, labels.length)),
        bounds: upperBounds,
        counts: row.slice(labels.length, -1).map(numberOf),
        sum: numberOf(row.at(-1)),
      }));
      return { type: 'gaugehistogram', name, help, points };
    },
  };
}

function labelsOf(row: Row, count: number): readonly string[] {
  return row.slice(0, count).map((value) => value ?? '');
}

const artifactFileCounts = gaugeHistogram({
  name: 'artifact_file_counts',
  help: 'Number of files of each artifact',
  labels: categoryLabels,
  bounds: bounds.fileCount,
  query: {
    reads: {
      db_fileinartifact: ['artifact_id'],
      db_artifact: ['id', 'category', 'workspace_id'],
      ...scopes,
    },
    sql: `
      SELECT t.category, db_scope.name, ${countSums(bounds.fileCount)}, sum(t.files)
      FROM (
        SELECT category, workspace_id, ${cumulativeCounts('coalesce(held.files, 0)', bounds.fileCount)},
          coalesce(sum(held.files), 0) AS files
        FROM db_artifact
        LEFT JOIN (SELECT artifact_id, count(*) AS files FROM db_fileinartifact GROUP BY 1) AS held
          ON held.artifact_id = db_artifact.id
        GROUP BY 1, 2
      ) AS t${joinScopes}
      GROUP BY 1, 2`,
    fromSummary: {
      reads: { ...fileCountsSummary, ...scopes },
      sql: `
        SELECT t.category, db_scope.name, ${cumulativeSums('t.artifacts', 't.bucket', bounds.fileCount)}, sum(t.files)
        FROM tonnage.artifact_file_counts AS t${joinScopes}
        GROUP BY 1, 2`,
    },
  },
});

const artifactFileSizes = gaugeHistogram({
  name: 'artifact_file_sizes',
  help: 'Size in bytes of each file in an artifact; a file counts once for each artifact that holds it',
  labels: categoryLabels,
  bounds: bounds.fileBytes,
  query: {
    reads: filesInArtifacts.reads,
    sql: `
      SELECT t.category, db_scope.name, ${countSums(bounds.fileBytes)}, sum(t.bytes)
      FROM (
        SELECT db_artifact.category, db_artifact.workspace_id, ${cumulativeCounts('db_file.size', bounds.fileBytes)},
          sum(db_file.size) AS bytes
        FROM ${filesInArtifacts.from}
        GROUP BY 1, 2
      ) AS t${joinScopes}
      GROUP BY 1, 2`,
    fromSummary: {
      reads: { ...fileSizesSummary, ...scopes },
      sql: `
        SELECT t.category, db_scope.name, ${cumulativeSums('t.files', 't.bucket', bounds.fileBytes)}, sum(t.bytes)
        FROM tonnage.artifact_file_sizes AS t${joinScopes}
        GROUP BY 1, 2`,
    },
  },
});

const collectionSizes = gaugeHistogram({
  name: 'collection_sizes',
  help: 'Number of items of each collection, without removed items',
  labels: categoryLabels,
  bounds: bounds.itemCount,
  query: {
    reads: {
      db_collection: ['id', 'category', 'workspace_id'],
      db_collectionitem: ['parent_collection_id', 'removed_at'],
      ...scopes,
    },
    sql: `
      SELECT t.category, db_scope.name, ${countSums(bounds.itemCount)}, sum(t.items)
      FROM (
        SELECT category, workspace_id, ${cumulativeCounts('coalesce(held.items, 0)', bounds.itemCount)},
          coalesce(sum(held.items), 0) AS items
        FROM db_collection
        LEFT JOIN (
          SELECT parent_collection_id, count(*) AS items FROM db_collectionitem WHERE removed_at IS NULL GROUP BY 1
        ) AS held ON held.parent_collection_id = db_collection.id
        GROUP BY 1, 2
      ) AS t${joinScopes}
      GROUP BY 1, 2`,
  },
});

const tokensLastSeen = gaugeHistogram({
  name: 'tokens_last_seen',
  help: 'Seconds since each enabled token was last seen; a token that was never seen is only in +Inf, and not in the sum',
  labels: ['user', 'worker'],
  bounds: bounds.ageSeconds,
  query: {
    reads: { db_token: ['id', 'enabled', 'user_id', 'last_seen_at'], db_worker: ['token_id'] },
    // A token of the future was seen 0 seconds ago: its clock is ahead of this one. `infinity` is no time.
    sql: `
      SELECT t.user, t.worker, ${cumulativeCounts('t.age', bounds.ageSeconds)}, coalesce(sum(t.age), 0)
      FROM (
        SELECT (user_id IS NOT NULL)::integer AS user,
          EXISTS (SELECT FROM db_worker WHERE db_worker.token_id = db_token.id)::integer AS worker,
          CASE WHEN isfinite(last_seen_at) THEN greatest(extract(epoch FROM $1::timestamptz - last_seen_at), 0) END AS age
        FROM db_token
        WHERE enabled
      ) AS t
      GROUP BY 1, 2`,
  },
});

/** Durations that are no number, negative, or too long to be true are left out. Nothing validates this part of `output_data`. */
const secondsMax = 1e12;

const taskExecutionTimes = gaugeHistogram({
  name: 'task_execution_times',
  help: 'Execution time in seconds of each work request that has one',
  labels: ['task_type', 'task_name', 'scope'],
  bounds: bounds.runSeconds,
  query: {
    reads: { db_workrequest: ['task_type', 'task_name', 'workspace_id', 'output_data'], ...scopes },
    sql: `
      SELECT t.task_type, t.task_name, db_scope.name, ${countSums(bounds.runSeconds)}, sum(t.seconds)
      FROM (
        SELECT task_type, task_name, workspace_id, ${cumulativeCounts('timed.seconds', bounds.runSeconds)},
          sum(timed.seconds) AS seconds
        FROM (
          SELECT task_type, task_name, workspace_id,
            CASE WHEN jsonb_typeof(duration) = 'number' THEN duration::numeric END AS seconds
          FROM (
            SELECT task_type, task_name, workspace_id, output_data -> 'runtime_statistics' -> 'duration' AS duration
            FROM db_workrequest
            WHERE output_data IS NOT NULL
          ) AS stated
        ) AS timed
        WHERE timed.seconds BETWEEN 0 AND ${secondsMax}
        GROUP BY 1, 2, 3
      ) AS t${joinScopes}
      GROUP BY 1, 2, 3`,
  },
});

/** Families that the configuration can switch on, in the order of their keys. */
export const optionalFamilies: readonly OptionalFamily[] = [
  artifactFileSize,
  artifactFileCounts,
  artifactFileSizes,
  collectionSizes,
  tokensLastSeen,
  taskExecutionTimes,
];
