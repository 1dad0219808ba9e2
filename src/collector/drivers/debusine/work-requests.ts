import { LabelProduct, lazily } from '../../../metric/index.ts';
import { scopesQuery } from './counts.ts';
import { executorBackends, otherTaskNames, statuses, workerTaskNames } from './enumerations.ts';
import { numberOf, rowsPerStep, type DebusineFamily, type Query } from './family.ts';
import { FreeText } from './free-text.ts';
import { gauge, Sums } from './sums.ts';

/** Whether a text that could be a name may also be that of a number or a boolean. */
function isAmbiguous(text: string): string {
  return `coalesce(left(${text}, 1) COLLATE "C" BETWEEN '0' AND '9' OR ${text} IN ('true', 'false'), false)`;
}

/** The text of a value of task data. Values that are false in Debusine are empty. Others that are no text have no name's form. */
function exactText(key: string): string {
  const value = `db_workrequest.task_data->'${key}'`;
  return `CASE
        WHEN jsonb_typeof(${value}) = 'string' THEN db_workrequest.task_data->>'${key}'
        WHEN ${value} IN ('null', 'false', '0') THEN ''
        WHEN ${value} IS NOT NULL THEN '#'
        ELSE ''
      END`;
}

const hostArchitecture = "db_workrequest.task_data->>'host_architecture'";
const backend = "db_workrequest.task_data->>'backend'";

/**
 * Counts all work requests. Grouping by the text of the data (`->>`) is much faster than by its JSON, but does not tell the
 * text "42" from the number. So a second statement counts the rows of such texts again. Without any, it reads nothing.
 */
const workRequestsQuery: Query = {
  reads: {
    db_workrequest: ['task_type', 'task_name', 'workspace_id', 'status', 'task_data'],
    db_workspace: ['id', 'scope_id'],
    db_scope: ['id', 'name'],
  },
  sql: `
    WITH grouped AS MATERIALIZED (
      SELECT ${backend} AS backend, ${hostArchitecture} AS host_architecture, db_workspace.scope_id,
        db_workrequest.status, db_workrequest.task_name, db_workrequest.task_type, count(*) AS number
      FROM db_workrequest
      JOIN db_workspace ON db_workspace.id = db_workrequest.workspace_id
      GROUP BY 1, 2, 3, 4, 5, 6
    ), checked AS MATERIALIZED (
      SELECT *, ${isAmbiguous('backend')} OR ${isAmbiguous('host_architecture')} AS ambiguous FROM grouped
    )
    SELECT backend, host_architecture, db_scope.name, status, task_name, task_type, number
    FROM checked
    JOIN db_scope ON db_scope.id = checked.scope_id
    WHERE NOT ambiguous
    UNION ALL
    SELECT ${exactText('backend')}, ${exactText('host_architecture')}, db_scope.name,
      db_workrequest.status, db_workrequest.task_name, db_workrequest.task_type, count(*)
    FROM db_workrequest
    JOIN db_workspace ON db_workspace.id = db_workrequest.workspace_id
    JOIN db_scope ON db_scope.id = db_workspace.scope_id
    WHERE (SELECT bool_or(ambiguous) FROM checked)
      AND (${isAmbiguous(backend)} OR ${isAmbiguous(hostArchitecture)})
    GROUP BY 1, 2, 3, 4, 5, 6`,
};

const labels = ['backend', 'host_architecture', 'scope', 'status', 'task_name', 'task_type'];

export const workRequests: DebusineFamily = {
  name: 'work_requests',
  labels: () => labels,
  queries: [scopesQuery, workRequestsQuery],
  *build(rows, { zeroFill, labelRules }) {
    const isDocument = labelRules === 'document';
    const backends = new FreeText();
    const architectures = new FreeText();
    for (const [index, row] of rows(workRequestsQuery).entries()) {
      const number = Number(row.at(-1));
      backends.count(row[0] ?? '', number);
      architectures.count(row[1] ?? '', number);
      if (index % rowsPerStep === 0) yield;
    }
    const product = new LabelProduct(labels);
    const sums = new Sums();
    for (const [index, row] of rows(workRequestsQuery).entries()) {
      const [backendText, architecture, scope, status, name, type, number] = row;
      const hasData = type === 'Worker' || !isDocument;
      const data = hasData ? [backends.fold(backendText ?? ''), architectures.fold(architecture ?? '')] : dataAbsent;
      sums.add(product.of([...data, scope ?? '', status ?? '', name ?? '', type ?? '']), numberOf(number));
      if (index % rowsPerStep === 0) yield;
    }
    const scopes = rows(scopesQuery).map(([scope]) => scope ?? '');
    const zeros = lazily(function* () {
      if (zeroFill === 'none') return;
      yield* product.all([executorBackends, architectures.values(), scopes, statuses, workerTaskNames, ['Worker']]);
      const noText = isDocument ? [undefined] : [''];
      for (const [type, names] of Object.entries(otherTaskNames)) {
        yield* product.all([noText, noText, scopes, statuses, names, [type]]);
      }
    });
    return gauge('work_requests', 'Number of WorkRequests', sums.points(zeros));
  },
};

/** The labels `backend` and `host_architecture` of a work request that has neither. */
const dataAbsent = [undefined, undefined];
