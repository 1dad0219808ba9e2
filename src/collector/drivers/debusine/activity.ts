import { LabelProduct, type HistogramPoint } from '../../../metric/index.ts';
import { activityDays } from './enumerations.ts';
import { numberOf, type DebusineFamily, type Query, type Rows } from './family.ts';

/** Users whose last root workflow is at most so many days old, for each bound, and all users. Exact to a microsecond. */
const buckets = activityDays
  .map((days) => `count(*) FILTER (WHERE latest.created_at >= $1::timestamptz - interval '${days * 24} hours')`)
  .concat('count(*)')
  .join(', ');

/**
 * The buckets of both families: users by scope with an issuer that is NULL, and users by scope and issuer. A user with two
 * identities of one issuer counts once. A user without an identity counts for no issuer.
 */
const activityQuery: Query = {
  reads: {
    db_workrequest: ['task_type', 'parent_id', 'created_by_id', 'created_at', 'workspace_id'],
    db_workspace: ['id', 'scope_id'],
    db_scope: ['id', 'name'],
    db_identity: ['user_id', 'issuer'],
  },
  sql: `
    WITH latest AS MATERIALIZED (
      SELECT db_workspace.scope_id, db_workrequest.created_by_id, max(db_workrequest.created_at) AS created_at
      FROM db_workrequest
      JOIN db_workspace ON db_workspace.id = db_workrequest.workspace_id
      WHERE db_workrequest.task_type = 'Workflow' AND db_workrequest.parent_id IS NULL
      GROUP BY 1, 2
    )
    SELECT db_scope.name, NULL, ${buckets}
    FROM latest
    JOIN db_scope ON db_scope.id = latest.scope_id
    GROUP BY 1
    UNION ALL
    SELECT db_scope.name, identities.issuer, ${buckets}
    FROM latest
    JOIN (SELECT DISTINCT user_id, issuer FROM db_identity WHERE user_id IS NOT NULL) AS identities
      ON identities.user_id = latest.created_by_id
    JOIN db_scope ON db_scope.id = latest.scope_id
    GROUP BY 1, 2`,
};

function activity(name: string, help: string, labels: readonly string[]): DebusineFamily {
  const byIssuer = labels.includes('issuer');
  const points = (rows: Rows): readonly HistogramPoint[] => {
    const product = new LabelProduct(labels);
    return rows(activityQuery)
      .filter(([, issuer]) => (issuer !== null) === byIssuer)
      .map(([scope, issuer, ...counts]) => ({
        labels: product.of(byIssuer ? [issuer ?? '', scope ?? ''] : [scope ?? '']),
        bounds: activityDays,
        counts: counts.map(numberOf),
      }));
  };
  return {
    name,
    labels: () => labels,
    queries: [activityQuery],
    // oxlint-disable-next-line require-yield -- There are few rows.
    *build(rows, { activityType }) {
      return { type: activityType, name, help, points: points(rows), bare: true };
    },
  };
}

export const userIdentitiesActivity = activity(
  'user_identities_activity',
  'Number of SSO Users who have created a workflow in the bucket',
  ['issuer', 'scope'],
);

export const userActivity = activity('user_activity', 'Number of users who have created a workflow in the bucket', [
  'scope',
]);
