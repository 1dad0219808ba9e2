import {
  activityDays,
  artifactCategories,
  collectionCategories,
  executorBackends,
  otherTasks,
  statuses,
  workerTasks,
  workflowNames,
} from './model-names.ts';
import type { DebusineRows, Json, Row } from './rows.ts';
import { sampleKey, type Samples } from './samples.ts';

/**
 * An independent model of the sixteen families: rows in memory to samples, in the simplest way that can be seen to be
 * right. It shares no code with the driver.
 */
export interface ModelOptions {
  /** The clock, in microseconds since 1970. */
  readonly now: number;
  readonly zeroFill: 'full' | 'bounded' | 'none';
  readonly labelRules: 'real' | 'document';
  readonly signonProviders: readonly string[];
}

type Labels = Readonly<Record<string, string>>;

/** The series of one family before zero filling: equal ones are added up. */
interface ModelFamily {
  readonly name: string;
  readonly series: readonly { readonly labels: Labels; readonly value: number }[];
  /** Series that zero filling adds where there is none. */
  readonly zeros: readonly Labels[];
  /** Those of `zeros` that grow with the product of the architectures. */
  readonly unbounded?: readonly Labels[];
}

/** All samples of the page. */
export function modelOf(rows: DebusineRows, options: ModelOptions): Samples {
  const samples = new Map<string, number>();
  for (const family of familiesOf(rows, options)) {
    const own = new Map<string, { readonly labels: Labels; value: number }>();
    const zeros = options.zeroFill === 'none' ? [] : family.zeros;
    const unbounded = options.zeroFill === 'full' ? (family.unbounded ?? []) : [];
    const filled = [...zeros, ...unbounded].map((labels) => ({ labels, value: 0 }));
    for (const { labels, value } of [...family.series, ...filled]) {
      const kept = options.labelRules === 'document' ? documented(family.name, labels) : labels;
      const key = sampleKey(family.name, new Map(Object.entries(kept)));
      const sum = own.get(key) ?? { labels: kept, value: 0 };
      sum.value += value;
      own.set(key, sum);
    }
    for (const [key, { value }] of own) samples.set(key, value);
  }
  return samples;
}

/** The labels under the conditions of Debusine's design document. */
function documented(family: string, labels: Labels): Labels {
  const isWorkerTask = labels['task_type'] === 'Worker';
  const isExternal = labels['worker_type'] === 'external';
  const rules: Readonly<Record<string, (label: string, value: string) => boolean>> = {
    work_requests: (label) => isWorkerTask || !['host_architecture', 'backend'].includes(label),
    workers: (label, value) => {
      if (label === 'worker_pool') return value !== '';
      if (label === 'host_architecture') return isExternal;
      return label.startsWith('architecture_') ? isExternal && value === '1' : true;
    },
    groups: (label) => label !== 'scope',
    workspaces: (label) => label !== 'scope',
  };
  const isKept = rules[family] ?? (() => true);
  const kept = Object.entries(labels).filter(([label, value]) => isKept(label, value));
  if (family !== 'workspaces') return Object.fromEntries(kept);
  return Object.fromEntries(
    kept.map(([label, value]) => [label, label === 'private' ? bit(value === '0') : value] as const),
  );
}

function familiesOf(rows: DebusineRows, options: ModelOptions): readonly ModelFamily[] {
  const scopes = rows.db_scope.map(({ name }) => name);
  const scopeNames = new Map(rows.db_scope.map(({ id, name }) => [id, name]));
  const byWorkspace = new Map(rows.db_workspace.map(({ id, scope_id }) => [id, scopeNames.get(scope_id) ?? '']));
  const scopeOf = (workspace: number | null) => (workspace === null ? '' : (byWorkspace.get(workspace) ?? ''));
  const bits = ['0', '1'];
  const inScope = ({
    category,
    workspace_id,
  }: {
    readonly category: string;
    readonly workspace_id: number | null;
  }) => ({
    category,
    scope: scopeOf(workspace_id),
  });
  const identities = Map.groupBy(rows.db_identity, ({ user_id }) => user_id);
  const workers = new Set(rows.db_worker.map(({ token_id }) => token_id));
  return [
    counted('artifacts', rows.db_artifact.map(inScope), product({ category: artifactCategories, scope: scopes })),
    counted('assets', rows.db_asset.map(inScope), [
      ...product({ category: ['debusine:signing-key'], scope: scopes }),
      { category: 'debusine:cloud-provider-account', scope: '' },
    ]),
    counted('collections', rows.db_collection.map(inScope), product({ category: collectionCategories, scope: scopes })),
    counted(
      'groups',
      rows.db_group.map((group) => ({ ephemeral: bit(group.ephemeral), scope: scopeNames.get(group.scope_id) ?? '' })),
      product({ ephemeral: bits, scope: scopes }),
    ),
    counted(
      'tokens',
      rows.db_token.map(({ id, enabled, user_id }) => {
        return { enabled: bit(enabled), user: bit(user_id !== null), worker: bit(workers.has(id)) };
      }),
      product({ enabled: bits, user: bits, worker: bits }),
    ),
    userIdentities(rows, options.signonProviders),
    counted(
      'users',
      rows.db_user.filter(({ username }) => username !== '_system').map((user) => ({ active: bit(user.is_active) })),
      product({ active: bits }),
    ),
    activity('user_activity', rows, options.now, scopeOf, () => [{}]),
    activity('user_identities_activity', rows, options.now, scopeOf, (user) => {
      return (identities.get(user) ?? []).map(({ issuer }) => ({ issuer }));
    }),
    workRequests(rows, scopes, scopeOf),
    workersOf(rows),
    poolRuntime(rows, options.now),
    counted(
      'workflow_templates',
      rows.db_workflowtemplate.map(({ task_name, workspace_id }) => ({ task_name, scope: scopeOf(workspace_id) })),
      product({ task_name: workflowNames, scope: scopes }),
    ),
    counted(
      'workspaces',
      rows.db_workspace.map((workspace) => ({
        private: bit(workspace.public),
        expires: bit(workspace.expiration_delay !== null),
        scope: scopeNames.get(workspace.scope_id) ?? '',
      })),
      product({ private: bits, expires: bits, scope: scopes }),
    ),
    sizes('file_store_size', rows, ({ total_size }) => total_size),
    sizes('file_store_max_size', rows, ({ max_size }) => (max_size === 0n ? null : max_size)),
  ];
}

function counted(name: string, rows: readonly Labels[], zeros: readonly Labels[]): ModelFamily {
  return { name, series: rows.map((labels) => ({ labels, value: 1 })), zeros };
}

function userIdentities(rows: DebusineRows, issuers: readonly string[]): ModelFamily {
  const users = new Map(rows.db_user.map((user) => [user.id, user]));
  const labels = rows.db_identity.flatMap(({ user_id, issuer }) => {
    const user = user_id === null ? undefined : users.get(user_id);
    return user ? [{ active: bit(user.is_active), issuer }] : [];
  });
  return counted('user_identities', labels, product({ active: ['0', '1'], issuer: issuers }));
}

/** How many users have created a root workflow within so many days, for each scope and each of the user's `groups`. */
function activity(
  name: string,
  rows: DebusineRows,
  now: number,
  scopeOf: (workspace: number) => string,
  groups: (user: number) => readonly Labels[],
): ModelFamily {
  const roots = rows.db_workrequest.filter(
    ({ task_type, parent_id }) => task_type === 'Workflow' && parent_id === null,
  );
  const users = new Map<string, { readonly labels: Labels; readonly newest: Map<number, number> }>();
  for (const { created_by_id, created_at, workspace_id } of roots) {
    for (const group of groups(created_by_id)) {
      const labels = { ...group, scope: scopeOf(workspace_id) };
      const key = JSON.stringify(labels);
      const { newest } = users.get(key) ?? { newest: new Map<number, number>() };
      newest.set(created_by_id, Math.max(created_at, newest.get(created_by_id) ?? -Infinity));
      users.set(key, { labels, newest });
    }
  }
  const microsecondsPerDay = 86_400_000_000;
  const series = [...users.values()].flatMap(({ labels, newest }) => {
    const within = activityDays.map((days) => {
      const active = [...newest.values()].filter((created) => created >= now - days * microsecondsPerDay);
      return { labels: { ...labels, le: String(days) }, value: active.length };
    });
    return [...within, { labels: { ...labels, le: '+Inf' }, value: newest.size }];
  });
  return { name: `${name}_bucket`, series, zeros: [] };
}

function workRequests(
  rows: DebusineRows,
  scopes: readonly string[],
  scopeOf: (workspace: number) => string,
): ModelFamily {
  const architecture = folding(rows.db_workrequest.map(({ task_data }) => member(task_data, 'host_architecture')));
  const backend = folding(rows.db_workrequest.map(({ task_data }) => member(task_data, 'backend')));
  const labels = rows.db_workrequest.map(({ task_type, task_name, workspace_id, status, task_data }) => ({
    task_type,
    task_name,
    scope: scopeOf(workspace_id),
    status,
    host_architecture: architecture(member(task_data, 'host_architecture')),
    backend: backend(member(task_data, 'backend')),
  }));
  const seen = new Set(labels.map(({ host_architecture }) => host_architecture).filter((name) => name !== ''));
  const others = Object.entries(otherTasks).flatMap(([type, names]) =>
    product({
      task_type: [type],
      task_name: names,
      scope: scopes,
      status: statuses,
      host_architecture: [''],
      backend: [''],
    }),
  );
  const ofWorkers = product({
    task_type: ['Worker'],
    task_name: workerTasks,
    scope: scopes,
    status: statuses,
    host_architecture: [...seen],
    backend: executorBackends,
  });
  return counted('work_requests', labels, [...others, ...ofWorkers]);
}

/** The label value for each value of free text: itself, `other`, or nothing for a false value. */
function folding(values: readonly (Json | undefined)[]): (value: Json | undefined) => string {
  const rowsByName = new Map<string, number>();
  for (const value of values) {
    if (typeof value !== 'string' || value.length > 32 || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(value)) continue;
    rowsByName.set(value, (rowsByName.get(value) ?? 0) + 1);
  }
  const byRows = [...rowsByName].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const kept = new Set(byRows.slice(0, 64).map(([name]) => name));
  return (value) => {
    if (isFalse(value)) return '';
    return typeof value === 'string' && kept.has(value) ? value : 'other';
  };
}

function workersOf(rows: DebusineRows): ModelFamily {
  const pools = new Map(rows.db_workerpool.map(({ id, name }) => [id, name]));
  const busy = new Set(
    rows.db_workrequest
      .filter(({ status }) => ['running', 'pending'].includes(status))
      .map(({ worker_id }) => worker_id),
  );
  const all = rows.db_worker.flatMap((worker) => [worker.static_metadata, worker.dynamic_metadata]);
  const names = new Set(all.flatMap((metadata) => architecturesOf(metadata)));
  const hosts = new Set(all.map((metadata) => hostIn(metadata)).filter((host) => host !== ''));
  const none = Object.fromEntries([...names].map((name) => [name, '0']));
  const labels = rows.db_worker.map((worker) => {
    const inStatic = architecturesOf(worker.static_metadata);
    const own = inStatic.length > 0 ? inStatic : architecturesOf(worker.dynamic_metadata);
    return {
      connected: bit(worker.connected_at !== null),
      busy: bit(busy.has(worker.id)),
      worker_type: worker.worker_type,
      worker_pool: worker.worker_pool_id === null ? '' : (pools.get(worker.worker_pool_id) ?? ''),
      host_architecture: hostOf(worker),
      ...none,
      ...Object.fromEntries(own.map((name) => [name, '1'])),
    };
  });
  const bits = ['0', '1'];
  const inner = product({
    connected: bits,
    busy: bits,
    worker_type: ['celery', 'signing'],
    worker_pool: [''],
    host_architecture: [''],
    ...Object.fromEntries([...names].map((name) => [name, ['0']])),
  });
  const external = product({
    connected: bits,
    busy: bits,
    worker_type: ['external'],
    worker_pool: ['', ...pools.values()],
    host_architecture: [...hosts],
    ...Object.fromEntries([...names].map((name) => [name, bits])),
  });
  return { ...counted('workers', labels, inner), unbounded: external };
}

function hostOf(worker: Row<'db_worker'>): string {
  return hostIn(worker.static_metadata) || hostIn(worker.dynamic_metadata);
}

function hostIn(metadata: Json): string {
  const host = member(metadata, 'system:host_architecture');
  return typeof host === 'string' ? host : '';
}

/** The label names of the architectures in a worker's metadata. To Debusine, a text is the list of its characters. */
function architecturesOf(metadata: Json): readonly string[] {
  const list = member(metadata, 'system:architectures');
  const elements: readonly Json[] = typeof list === 'string' ? Array.from(list) : Array.isArray(list) ? list : [];
  const names = elements.filter((name) => typeof name === 'string');
  return names.map((name) => `architecture_${name.replaceAll(/[^a-zA-Z0-9_]/gu, '_')}`);
}

function poolRuntime(rows: DebusineRows, now: number): ModelFamily {
  const series = rows.db_workerpool.map(({ id, name }) => {
    const finished = rows.db_workerpoolstatistics.filter(({ worker_pool_id }) => worker_pool_id === id);
    const ages = rows.db_worker
      .filter(({ worker_pool_id }) => worker_pool_id === id)
      .flatMap(({ instance_created_at: created }) => (created === null ? [] : [now - created]));
    const seconds = Math.trunc(sum(ages) / 1_000_000);
    return { labels: { worker_pool: name }, value: sum(finished.map(({ runtime }) => runtime)) + seconds };
  });
  return { name: 'worker_pool_runtime', series, zeros: [] };
}

function sizes(name: string, rows: DebusineRows, size: (store: Row<'db_filestore'>) => bigint | null): ModelFamily {
  const series = rows.db_filestore.flatMap((store) => {
    const value = size(store);
    return value === null ? [] : [{ labels: { backend: store.backend, name: store.name }, value: Number(value) }];
  });
  return { name, series, zeros: [] };
}

/** A member of a JSON object. Undefined if there is none, or if the value is not an object. */
function member(value: Json, name: string): Json | undefined {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
  return new Map(Object.entries(value)).get(name);
}

/** Absent, null, an empty text, 0 and false: what Debusine takes for no value. */
function isFalse(value: Json | undefined): boolean {
  return value === undefined || value === null || value === '' || value === 0 || value === false;
}

function bit(value: boolean): string {
  return value ? '1' : '0';
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Every combination of the values of some labels. */
function product(values: Readonly<Record<string, readonly string[]>>): readonly Labels[] {
  return Object.entries(values).reduce<readonly Labels[]>(
    (all, [label, choices]) => all.flatMap((labels) => choices.map((choice) => ({ ...labels, [label]: choice }))),
    [{}],
  );
}
