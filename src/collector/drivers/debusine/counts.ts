import { LabelProduct, lazily } from '../../../metric/index.ts';
import { artifactCategories, assetCategories, collectionCategories, workflowNames } from './enumerations.ts';
import { numberOf, rowsPerStep, type DebusineFamily, type FamilySettings, type Query } from './family.ts';
import { gauge, Sums } from './sums.ts';

/** The names and ids of all scopes. */
export const scopesQuery: Query = { reads: { db_scope: ['id', 'name'] }, sql: 'SELECT name, id FROM db_scope' };

const flags = ['0', '1'];

interface Count {
  readonly name: string;
  readonly help: string;
  /** In the order of the query's columns. One more column has the number. */
  readonly labels: readonly string[];
  readonly query: Query;
  /** Products of label values that exist even without rows: a list of values for each label. */
  readonly zeros: (scopes: readonly string[], settings: FamilySettings) => readonly (readonly (readonly string[])[])[];
  /** The labels that `labelRules: document` keeps. Default: all. */
  readonly documentLabels?: readonly string[];
  /** The value of a label with `labelRules: document`. Default: the same. */
  readonly documentValue?: (name: string, value: string) => string;
  /** The help text with `labelRules: document`. Default: the same. */
  readonly documentHelp?: string;
}

/** A gauge of the numbers of rows by label values. */
function count(declared: Count): DebusineFamily {
  const { name, help, labels, query, zeros, documentLabels = labels, documentValue = (_, value) => value } = declared;
  const kept = (rules: FamilySettings['labelRules']) => (rules === 'document' ? documentLabels : labels);
  return {
    name,
    labels: kept,
    queries: [scopesQuery, query],
    *build(rows, settings, known) {
      const isDocument = settings.labelRules === 'document';
      const names = kept(settings.labelRules);
      const columns = names.map((label) => labels.indexOf(label));
      const product = new LabelProduct(names);
      const valueOf = (column: number, value: string) =>
        isDocument ? documentValue(labels[column] ?? '', value) : value;
      const sums = new Sums();
      for (const [index, row] of rows(query).entries()) {
        const values = columns.map((column) => valueOf(column, row[column] ?? ''));
        sums.add(product.of(values), numberOf(row.at(-1)));
        if (index % rowsPerStep === 0) yield;
      }
      const scopes = rows(scopesQuery)
        .map(([scope]) => scope ?? '')
        .toSorted();
      const products = settings.zeroFill === 'none' ? [] : zeros(scopes, settings);
      const zeroSets = lazily(function* () {
        for (const lists of products) {
          // Without scopes, there is nothing to count in them, even if the label is not kept.
          if (lists.some((list) => list.length === 0)) continue;
          yield* known.all(
            names,
            columns.map((column) => lists[column]?.map((value) => valueOf(column, value)) ?? []),
          );
        }
      });
      return gauge(name, isDocument ? (declared.documentHelp ?? help) : help, sums.points(zeroSets));
    },
  };
}

/** Counts the rows of a table by a column and the scope of their workspace. Groups by ids first: that is half the time. */
function perWorkspace(table: string, column: string): Query {
  return {
    reads: { [table]: [column, 'workspace_id'], db_workspace: ['id', 'scope_id'], db_scope: ['id', 'name'] },
    sql: `
      SELECT counted.${column}, db_scope.name, sum(counted.number)::bigint
      FROM (SELECT ${column}, workspace_id, count(*) AS number FROM ${table} GROUP BY 1, 2) AS counted
      JOIN db_workspace ON db_workspace.id = counted.workspace_id
      JOIN db_scope ON db_scope.id = db_workspace.scope_id
      GROUP BY 1, 2`,
  };
}

export const artifacts = count({
  name: 'artifacts',
  help: 'Number of Artifacts',
  labels: ['category', 'scope'],
  query: perWorkspace('db_artifact', 'category'),
  zeros: (scopes) => [[artifactCategories, scopes]],
});

export const assets = count({
  name: 'assets',
  help: 'Number of Assets',
  labels: ['category', 'scope'],
  query: {
    reads: {
      db_asset: ['category', 'workspace_id'],
      db_workspace: ['id', 'scope_id'],
      db_scope: ['id', 'name'],
    },
    sql: `
      SELECT db_asset.category, coalesce(db_scope.name, ''), count(*)
      FROM db_asset
      LEFT JOIN db_workspace ON db_workspace.id = db_asset.workspace_id
      LEFT JOIN db_scope ON db_scope.id = db_workspace.scope_id
      GROUP BY 1, 2`,
  },
  zeros: (scopes) => [
    [[assetCategories.unscoped], ['']],
    [[assetCategories.scoped], scopes],
  ],
});

export const collections = count({
  name: 'collections',
  help: 'Number of Collections',
  labels: ['category', 'scope'],
  query: perWorkspace('db_collection', 'category'),
  zeros: (scopes) => [[collectionCategories, scopes]],
});

export const groups = count({
  name: 'groups',
  help: 'Number of Groups',
  labels: ['ephemeral', 'scope'],
  query: {
    reads: { db_group: ['ephemeral', 'scope_id'], db_scope: ['id', 'name'] },
    sql: `
      SELECT db_group.ephemeral::integer, db_scope.name, count(*)
      FROM db_group
      JOIN db_scope ON db_scope.id = db_group.scope_id
      GROUP BY 1, 2`,
  },
  zeros: (scopes) => [[flags, scopes]],
  documentLabels: ['ephemeral'],
});

export const tokens = count({
  name: 'tokens',
  help: 'Number of Tokens',
  labels: ['enabled', 'user', 'worker'],
  // A token that only activates a worker (activation_token_id) is not the token of a worker.
  query: {
    reads: { db_token: ['id', 'enabled', 'user_id'], db_worker: ['token_id'] },
    sql: `
      SELECT db_token.enabled::integer, (db_token.user_id IS NOT NULL)::integer,
        (db_worker.token_id IS NOT NULL)::integer, count(*)
      FROM db_token
      LEFT JOIN db_worker ON db_worker.token_id = db_token.id
      GROUP BY 1, 2, 3`,
  },
  zeros: () => [[flags, flags, flags]],
});

export const userIdentities = count({
  name: 'user_identities',
  help: 'Number of User Identities',
  labels: ['active', 'issuer'],
  query: {
    reads: { db_identity: ['issuer', 'user_id'], db_user: ['id', 'is_active'] },
    sql: `
      SELECT db_user.is_active::integer, db_identity.issuer, count(*)
      FROM db_identity
      JOIN db_user ON db_user.id = db_identity.user_id
      GROUP BY 1, 2`,
  },
  zeros: (_, { signonProviders }) => [[flags, [...new Set(signonProviders)]]],
});

export const users = count({
  name: 'users',
  help: 'Number of Users',
  labels: ['active'],
  query: {
    reads: { db_user: ['is_active', 'username'] },
    sql: `SELECT is_active::integer, count(*) FROM db_user WHERE username <> '_system' GROUP BY 1`,
  },
  zeros: () => [[flags]],
});

export const workflowTemplates = count({
  name: 'workflow_templates',
  help: 'Number of WorkflowTemplates',
  labels: ['scope', 'task_name'],
  query: {
    reads: {
      db_workflowtemplate: ['task_name', 'workspace_id'],
      db_workspace: ['id', 'scope_id'],
      db_scope: ['id', 'name'],
    },
    sql: `
      SELECT db_scope.name, db_workflowtemplate.task_name, count(*)
      FROM db_workflowtemplate
      JOIN db_workspace ON db_workspace.id = db_workflowtemplate.workspace_id
      JOIN db_scope ON db_scope.id = db_workspace.scope_id
      GROUP BY 1, 2`,
  },
  zeros: (scopes) => [[scopes, workflowNames]],
});

export const workspaces = count({
  name: 'workspaces',
  help: 'Number of Workspaces (private="1" means public, as in Debusine)',
  labels: ['expires', 'private', 'scope'],
  query: {
    reads: { db_workspace: ['expiration_delay', 'public', 'scope_id'], db_scope: ['id', 'name'] },
    sql: `
      SELECT (db_workspace.expiration_delay IS NOT NULL)::integer, db_workspace.public::integer, db_scope.name, count(*)
      FROM db_workspace
      JOIN db_scope ON db_scope.id = db_workspace.scope_id
      GROUP BY 1, 2, 3`,
  },
  zeros: (scopes) => [[flags, flags, scopes]],
  documentLabels: ['expires', 'private'],
  documentValue: (name, value) => (name === 'private' ? String(1 - Number(value)) : value),
  documentHelp: 'Number of Workspaces',
});
