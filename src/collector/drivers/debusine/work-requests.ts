import { limits } from '../../../base/index.ts';
import { LabelProduct, lazily } from '../../../metric/index.ts';
import { scopesQuery } from './counts.ts';
import { executorBackends, otherTaskNames, statuses, workerTaskNames } from './enumerations.ts';
import { numberOf, rowsPerStep, type DebusineFamily, type Query } from './family.ts';
import { FreeText, nameForm } from './free-text.ts';
import { gauge, Sums } from './sums.ts';

/** Counts all work requests by these expressions and by the other labels. The scope is an id. */
function counting(backend: string, hostArchitecture: string): string {
  return `
    SELECT ${backend} AS backend, ${hostArchitecture} AS host_architecture, db_workspace.scope_id,
      db_workrequest.status, db_workrequest.task_name, db_workrequest.task_type, count(*) AS number
    FROM db_workrequest
    JOIN db_workspace ON db_workspace.id = db_workrequest.workspace_id
    GROUP BY 1, 2, 3, 4, 5, 6`;
}

/**
 * The same, folded by the server as `FreeText` does: what is folded is `#`, which is no name. Slower, but there may be as
 * many texts as work requests.
 */
function countingFolded(backend: string, hostArchitecture: string): string {
  return `
    WITH counted AS MATERIALIZED (${counting(backend, hostArchitecture)}
    ), backends AS (${mostFrequent('backend')}), hosts AS (${mostFrequent('host_architecture')})
    SELECT ${folded('backend', 'backends')}, ${folded('host_architecture', 'hosts')}, scope_id,
      status, task_name, task_type, sum(number)::bigint
    FROM counted
    GROUP BY 1, 2, 3, 4, 5, 6`;
}

/** The names in a column of `counted` that have the most rows; of equals, the first by code unit. */
function mostFrequent(column: string): string {
  return `
      SELECT ${column} AS name
      FROM counted
      WHERE CASE WHEN octet_length(${column}) <= ${limits.debusineTextCharactersMax} THEN ${column} ~ '${nameForm}' END
      GROUP BY 1
      ORDER BY sum(number) DESC, ${column} COLLATE "C"
      LIMIT ${limits.debusineTextsMax}`;
}

function folded(column: string, names: string): string {
  return `CASE WHEN ${column} = '' OR ${column} IN (SELECT name FROM ${names}) THEN ${column} WHEN ${column} IS NOT NULL THEN '#' END`;
}

/** The beginning of a text of task data, which is enough to see that it is too long for a name. */
function shortText(key: string): string {
  return `left(db_workrequest.task_data->>'${key}', ${limits.debusineTextCharactersMax + 1})`;
}

/** The text of a value of task data. Values that are false in Debusine are empty, and others that are no text are `#`. */
function exactText(key: string): string {
  const value = `db_workrequest.task_data->'${key}'`;
  return `
      CASE
        WHEN jsonb_typeof(${value}) = 'string' THEN db_workrequest.task_data->>'${key}'
        WHEN ${value} IN ('null', 'false', '0') THEN ''
        WHEN ${value} IS NOT NULL THEN '#'
      END`;
}

/** A text that could be a name, but also that of a number or a boolean. */
const ambiguous = /^(\d|true$|false$)/;

/**
 * Grouping by the text of the data (`->>`) is much faster than by its JSON, but the text "42" and the number then look the
 * same. If there are such texts, or very many, which is rare, the exact statement counts again.
 */
const workRequestsQuery: Query = {
  reads: {
    db_workrequest: ['task_type', 'task_name', 'workspace_id', 'status', 'task_data'],
    db_workspace: ['id', 'scope_id'],
  },
  sql: `${counting(shortText('backend'), shortText('host_architecture'))} LIMIT ${limits.debusineGroupsMax + 1}`,
  exact: {
    isNeeded: (rows) =>
      rows.length > limits.debusineGroupsMax ||
      rows.some(([backend, host]) => ambiguous.test(backend ?? '') || ambiguous.test(host ?? '')),
    sql: countingFolded(exactText('backend'), exactText('host_architecture')),
  },
};

const labels = ['backend', 'host_architecture', 'scope', 'status', 'task_name', 'task_type'];

export const workRequests: DebusineFamily = {
  name: 'work_requests',
  labels: () => labels,
  queries: [scopesQuery, workRequestsQuery],
  *build(rows, { zeroFill, labelRules }, known) {
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
    const scopes = new Map(rows(scopesQuery).map(([name, id]) => [id, name ?? '']));
    const sums = new Sums();
    for (const [index, row] of rows(workRequestsQuery).entries()) {
      const [backendText, architecture, scope, status, name, type, number] = row;
      const hasData = type === 'Worker' || !isDocument;
      const data = hasData ? [backends.fold(backendText ?? ''), architectures.fold(architecture ?? '')] : dataAbsent;
      sums.add(
        product.of([...data, scopes.get(scope ?? '') ?? '', status ?? '', name ?? '', type ?? '']),
        numberOf(number),
      );
      if (index % rowsPerStep === 0) yield;
    }
    const zeros = lazily(function* () {
      if (zeroFill === 'none') return;
      const names = [...scopes.values()].toSorted();
      yield* known.all(labels, [
        executorBackends,
        architectures.values().toSorted(),
        names,
        statuses,
        workerTaskNames,
        ['Worker'],
      ]);
      const noText = isDocument ? [undefined] : [''];
      for (const [type, tasks] of Object.entries(otherTaskNames)) {
        yield* known.all(labels, [noText, noText, names, statuses, tasks, [type]]);
      }
    });
    return gauge('work_requests', 'Number of WorkRequests', sums.points(zeros));
  },
};

/** The labels `backend` and `host_architecture` of a work request that has neither. */
const dataAbsent = [undefined, undefined];
