import fc from 'fast-check';
import { activityDays, artifactCategories, otherTasks, statuses, workerTasks } from './model-names.ts';
import type { DebusineRows, Json } from './rows.ts';

/** A random Debusine, and the clock at which it is read, in microseconds since 1970. */
export interface RandomDebusine {
  readonly rows: DebusineRows;
  readonly now: number;
}

const microsecondsPerDay = 86_400_000_000;

/** Text that the formats must escape, that looks like something else, or that is nothing. */
const oddText = fc.constantFrom(
  '',
  ' ',
  '"',
  '\\',
  '\n',
  'a\\n"b',
  '\r\t',
  'x="y",}',
  '日本 ☃ é',
  '+Inf',
  '#',
  '1e+06',
  '\u2028',
);
/** Any text that PostgreSQL can store. */
const anyText = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .filter((text) => !text.includes('\0') && text.isWellFormed());
const name = (...usual: readonly string[]) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...usual) },
    { weight: 1, arbitrary: oddText },
    { weight: 1, arbitrary: anyText },
  );

/** A row of another table, by its place in the list of that table's rows, modulo their number. */
const reference = fc.nat({ max: 1_000 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { freq: 2 });

/** A time as an age in microseconds: on the bounds of the buckets and next to them, in between, and in the future. */
const age = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom(0, ...activityDays), fc.constantFrom(-1, 0, 1))
      .map(([days, off]) => days * microsecondsPerDay + off),
  },
  { weight: 3, arbitrary: fc.integer({ min: -40 * microsecondsPerDay, max: 400 * microsecondsPerDay }) },
  { weight: 1, arbitrary: fc.integer({ min: -3_000_000, max: 3_000_000 }) },
);

const architectures = ['amd64', 'i386', 'arm64', 'kfreebsd-amd64'];
const backends = ['auto', 'incus-lxc', 'incus-vm', 'qemu', 'unshare'];

/** A label value as free text: what is meant, what is nearly meant, what is false, and values of other types. */
const freeText = (...meant: readonly string[]): fc.Arbitrary<Json> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...meant) },
    { weight: 2, arbitrary: fc.constantFrom<Json>(null, '', 0, false) },
    { weight: 1, arbitrary: fc.constantFrom<Json>(true, 64, -1.5, 1e21, [], {}, ['amd64'], { name: 'amd64' }) },
    { weight: 1, arbitrary: fc.constantFrom('true', 'false', 'null', '64', '0', '1e21', '[]', '{}', '""') },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        'other',
        'Amd64',
        ' amd64',
        'amd64\n',
        'a--b',
        '-a',
        'a-',
        'x'.repeat(32),
        'x'.repeat(33),
      ),
    },
    { weight: 1, arbitrary: oddText },
  );

/** JSON whose members may be absent, or no object at all. */
const jsonWith = (members: Readonly<Record<string, fc.Arbitrary<Json>>>): fc.Arbitrary<Json> =>
  fc.oneof(
    { weight: 9, arbitrary: fc.record(members, { requiredKeys: [] }) },
    { weight: 1, arbitrary: fc.constantFrom<Json>({}, [], ['host_architecture'], 'backend', 0, true) },
  );

const taskData = jsonWith({
  host_architecture: freeText(...architectures),
  backend: freeText(...backends),
  other: fc.constant(1),
});

const metadata = fc.record(
  {
    'system:host_architecture': fc.oneof(
      fc.constantFrom(...architectures),
      fc.constantFrom<Json>(null, '', 64, ['amd64'], 'My host'),
    ),
    'system:architectures': fc.oneof(
      fc.array(fc.constantFrom(...architectures, 'kfreebsd_amd64'), { maxLength: 3 }),
      fc.constantFrom<Json>(null, 'xy', [], [386, null, 'amd64']),
    ),
  },
  { requiredKeys: [] },
);

const outputData = fc.oneof(
  fc.record({
    runtime_statistics: fc.record({ duration: fc.double({ min: 0, max: 1e6, noNaN: true }) }, { requiredKeys: [] }),
  }),
  fc.constantFrom<Json>({}, [], { runtime_statistics: null }, { runtime_statistics: { duration: null } }),
);

const size = fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 20n }), fc.constantFrom(0n, 1n, 2n ** 53n + 1n, 2n ** 63n - 1n));

const tasks = Object.entries({ ...otherTasks, Worker: workerTasks, Internal: ['workflow'], Odd: ['own_task'] });
const task = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(...tasks.flatMap(([type, names]) => names.map((taskName) => ({ type, taskName })))),
  },
  { weight: 2, arbitrary: fc.constant({ type: 'Workflow', taskName: 'sbuild' }) },
  { weight: 1, arbitrary: anyText.map((taskName) => ({ type: 'Worker', taskName })) },
);

/**
 * The rows without their ids, and with references that are not yet bound to rows. The size `max` allows lists of any length
 * up to the maximum. The default would make short ones only, in which rows rarely meet.
 */
const recipe = fc.record({
  now: fc.constantFrom('2026-06-15T08:30:00Z', '2026-03-29T01:00:00.123Z', '2024-02-29T23:59:59.999Z'),
  scopes: fc.uniqueArray(name('debusine', 'farm', 'kali'), { maxLength: 4, size: 'max' }),
  workspaces: fc.array(
    fc.record({
      public: fc.boolean(),
      expiration_delay: maybe(fc.constantFrom('30 days', '00:00:00', '1 year')),
      scope: reference,
    }),
    { maxLength: 6, size: 'max' },
  ),
  users: fc.uniqueArray(
    fc.record({ username: name('_system', 'anna', 'ben', 'cleo', 'dora'), is_active: fc.boolean() }),
    {
      maxLength: 8,
      size: 'max',
      selector: ({ username }) => username,
    },
  ),
  identities: fc.array(fc.record({ user: maybe(reference), issuer: name('salsa', 'gitlab') }), {
    maxLength: 12,
    size: 'max',
  }),
  groups: fc.array(fc.record({ ephemeral: fc.boolean(), scope: reference }), { maxLength: 6, size: 'max' }),
  tokens: fc.array(fc.record({ enabled: fc.boolean(), user: maybe(reference), seen: maybe(age) }), {
    maxLength: 10,
    size: 'max',
  }),
  artifacts: fc.array(fc.record({ category: name(...artifactCategories), workspace: reference }), {
    maxLength: 12,
    size: 'max',
  }),
  assets: fc.array(
    fc.record({
      category: name('debusine:signing-key', 'debusine:cloud-provider-account'),
      workspace: maybe(reference),
    }),
    { maxLength: 8, size: 'max' },
  ),
  collections: fc.array(fc.record({ category: name('debian:suite', 'debusine:test'), workspace: reference }), {
    maxLength: 8,
  }),
  items: fc.array(fc.record({ collection: reference, removed: maybe(age) }), { maxLength: 15, size: 'max' }),
  files: fc.array(size, { maxLength: 6, size: 'max' }),
  filesInArtifacts: fc.array(fc.record({ artifact: reference, file: reference }), { maxLength: 15, size: 'max' }),
  stores: fc.uniqueArray(
    fc.record({
      name: name('default', 'cloud'),
      backend: name('Local', 'S3'),
      total_size: size,
      max_size: maybe(size),
    }),
    { maxLength: 4, size: 'max', selector: (store) => store.name },
  ),
  pools: fc.uniqueArray(name('pool-a', 'pool-b', 'pool-c'), { maxLength: 3, size: 'max' }),
  workers: fc.array(
    fc.record({
      worker_type: fc.constantFrom('external', 'external', 'external', 'celery', 'signing', 'odd'),
      pool: maybe(reference),
      connected: maybe(age),
      created: maybe(fc.integer({ min: -30_000_000, max: 100 * microsecondsPerDay })),
      token: maybe(reference),
      activation: maybe(reference),
      static_metadata: metadata,
      dynamic_metadata: metadata,
    }),
    { maxLength: 10, size: 'max' },
  ),
  statistics: fc.array(fc.record({ runtime: fc.integer({ min: 0, max: 2 ** 31 - 1 }), pool: reference }), {
    maxLength: 6,
  }),
  templates: fc.array(fc.record({ task_name: name('sbuild', 'qa'), workspace: reference }), {
    maxLength: 6,
    size: 'max',
  }),
  requests: fc.array(
    fc.record({
      workspace: reference,
      created: age,
      user: reference,
      status: fc.constantFrom(...statuses),
      worker: maybe(reference),
      task,
      task_data: taskData,
      output_data: maybe(outputData),
      parent: fc.option(reference, { freq: 1 }),
    }),
    { maxLength: 40, size: 'max' },
  ),
});
type Recipe = typeof recipe extends fc.Arbitrary<infer T> ? T : never;

/** Random rows of all tables. They keep the foreign keys and the unique columns of a real Debusine. */
export const randomDebusine: fc.Arbitrary<RandomDebusine> = recipe.map((given) => {
  const now = Date.parse(given.now) * 1_000;
  return { now, rows: rowsOf(given, now) };
});

/** Rows that must refer to another row are left out if that table is empty. */
function rowsOf(given: Recipe, now: number): DebusineRows {
  const time = (microseconds: number | null) => (microseconds === null ? null : now - microseconds);
  const scopes = given.scopes.map(named);
  const workspaces = bound(given.workspaces, 'scope', scopes).map(({ scope, ...row }) => ({ ...row, scope_id: scope }));
  const users = numbered(given.users);
  const tokens = numbered(given.tokens).map(({ id, enabled, user, seen }) => {
    return { id, enabled, user_id: idOf(users, user), last_seen_at: time(seen) };
  });
  const artifacts = bound(given.artifacts, 'workspace', workspaces).map(inWorkspace);
  const collections = bound(given.collections, 'workspace', workspaces).map(inWorkspace);
  const files = given.files.map((bytes, index) => ({ id: index + 1, size: bytes }));
  const pools = given.pools.map(named);
  const free = { token: new Set<number>(), activation: new Set<number>() };
  const workers = numbered(given.workers).map(({ pool, connected, created, token, activation, ...row }) => ({
    ...row,
    worker_pool_id: idOf(pools, pool),
    connected_at: time(connected),
    instance_created_at: time(created),
    token_id: once(free.token, idOf(tokens, token)),
    activation_token_id: once(free.activation, idOf(tokens, activation)),
  }));
  const requests = bound(bound(given.requests, 'workspace', workspaces), 'user', users);
  return {
    db_scope: scopes,
    db_workspace: workspaces,
    db_user: users,
    db_identity: numbered(given.identities).map(({ id, user, issuer }) => ({ id, user_id: idOf(users, user), issuer })),
    db_group: bound(given.groups, 'scope', scopes).map(({ id, ephemeral, scope }) => ({
      id,
      ephemeral,
      scope_id: scope,
    })),
    db_token: tokens,
    db_artifact: artifacts,
    db_asset: numbered(given.assets).map(({ id, category, workspace }) => {
      return { id, category, workspace_id: idOf(workspaces, workspace) };
    }),
    db_collection: collections,
    db_collectionitem: bound(given.items, 'collection', collections).map(({ id, collection, removed }) => {
      return { id, parent_collection_id: collection, removed_at: time(removed) };
    }),
    db_file: files,
    db_fileinartifact: bound(bound(given.filesInArtifacts, 'artifact', artifacts), 'file', files).map((row) => {
      return { id: row.id, artifact_id: row.artifact, file_id: row.file };
    }),
    db_filestore: numbered(given.stores),
    db_fileinstore: [],
    db_filestoreinscope: [],
    db_workerpool: pools,
    db_worker: workers,
    db_workerpoolstatistics: bound(given.statistics, 'pool', pools).map(({ id, runtime, pool }) => {
      return { id, runtime, worker_pool_id: pool };
    }),
    db_workflowtemplate: bound(given.templates, 'workspace', workspaces).map(({ workspace, ...row }) => {
      return { ...row, workspace_id: workspace };
    }),
    db_workrequest: requests.map(
      ({ id, workspace, created, user, status, worker, task: { type, taskName }, ...row }) => ({
        id,
        workspace_id: workspace,
        created_at: now - created,
        created_by_id: user,
        status,
        worker_id: idOf(workers, worker),
        task_type: type,
        task_name: taskName,
        task_data: row.task_data,
        output_data: row.output_data,
        parent_id: idOf(requests, row.parent),
      }),
    ),
  };
}

interface Identified {
  readonly id: number;
}

function named(text: string, index: number): Identified & { readonly name: string } {
  return { id: index + 1, name: text };
}

function numbered<T extends object>(rows: readonly T[]): readonly (T & Identified)[] {
  return rows.map((row, index) => ({ ...row, id: index + 1 }));
}

/** The rows, with the reference in the column `key` bound to a row's id. None if there is no row to refer to. */
function bound<K extends string, T extends Readonly<Record<K, number>>>(
  rows: readonly T[],
  key: K,
  targets: readonly Identified[],
): readonly (T & Identified)[] {
  if (targets.length === 0) return [];
  return numbered(rows.map((row) => ({ ...row, [key]: idOf(targets, row[key]) ?? 0 })));
}

function idOf(targets: readonly Identified[], place: number | null): number | null {
  return place === null ? null : (targets[place % targets.length]?.id ?? null);
}

/** The id, or null if another row has it already. */
function once(taken: Set<number>, id: number | null): number | null {
  if (id === null || taken.has(id)) return null;
  taken.add(id);
  return id;
}

function inWorkspace(row: { readonly id: number; readonly category: string; readonly workspace: number }) {
  return { id: row.id, category: row.category, workspace_id: row.workspace };
}
