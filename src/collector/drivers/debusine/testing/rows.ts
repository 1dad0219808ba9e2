import type { Client } from 'pg';

/** A value of a jsonb column. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** How a column's values are written here. A trailing `?` admits NULL. */
interface Kinds {
  /** A bigint that stays below 2^53. */
  readonly id: number;
  /** Any bigint. */
  readonly size: bigint;
  readonly integer: number;
  readonly boolean: boolean;
  readonly text: string;
  /** Microseconds since 1970, as precise as a timestamptz. */
  readonly time: number;
  readonly interval: string;
  readonly json: Json;
}
type Kind = keyof Kinds;

/** The tables that the driver's families read, with the columns of `schema.sql`. */
const debusineTables = {
  db_scope: { id: 'id', name: 'text' },
  db_workspace: { id: 'id', public: 'boolean', expiration_delay: 'interval?', scope_id: 'id' },
  db_user: { id: 'id', username: 'text', is_active: 'boolean' },
  db_identity: { id: 'id', user_id: 'id?', issuer: 'text' },
  db_group: { id: 'id', ephemeral: 'boolean', scope_id: 'id' },
  db_token: { id: 'id', enabled: 'boolean', user_id: 'id?', last_seen_at: 'time?' },
  db_artifact: { id: 'id', category: 'text', workspace_id: 'id' },
  db_asset: { id: 'id', category: 'text', workspace_id: 'id?' },
  db_collection: { id: 'id', category: 'text', workspace_id: 'id' },
  db_collectionitem: { id: 'id', parent_collection_id: 'id', removed_at: 'time?' },
  db_file: { id: 'id', size: 'size' },
  db_fileinartifact: { id: 'id', artifact_id: 'id', file_id: 'id' },
  db_filestore: { id: 'id', name: 'text', backend: 'text', total_size: 'size', max_size: 'size?' },
  db_fileinstore: { id: 'id', store_id: 'id', file_id: 'id' },
  db_filestoreinscope: { id: 'id', scope_id: 'id', file_store_id: 'id' },
  db_workerpool: { id: 'id', name: 'text' },
  db_worker: {
    id: 'id',
    worker_type: 'text',
    worker_pool_id: 'id?',
    connected_at: 'time?',
    instance_created_at: 'time?',
    token_id: 'id?',
    activation_token_id: 'id?',
    static_metadata: 'json',
    dynamic_metadata: 'json',
  },
  db_workerpoolstatistics: { id: 'id', runtime: 'integer', worker_pool_id: 'id' },
  db_workflowtemplate: { id: 'id', task_name: 'text', workspace_id: 'id' },
  db_workrequest: {
    id: 'id',
    workspace_id: 'id',
    created_at: 'time',
    created_by_id: 'id',
    status: 'text',
    worker_id: 'id?',
    task_type: 'text',
    task_name: 'text',
    task_data: 'json',
    output_data: 'json?',
    parent_id: 'id?',
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Kind | `${Kind}?`>>>>;

type Tables = typeof debusineTables;
type TableName = keyof Tables;
type ValueOf<K> = K extends `${infer Base extends Kind}?` ? Kinds[Base] | null : K extends Kind ? Kinds[K] : never;
export type Row<T extends TableName> = { readonly [C in keyof Tables[T]]: ValueOf<Tables[T][C]> };
/** The rows of a whole database, by table. */
export type DebusineRows = { readonly [T in TableName]: readonly Row<T>[] };

const tableNames = Object.keys(debusineTables).filter((name): name is TableName => name in debusineTables);

/** An empty database. */
export const noRows = Object.fromEntries(tableNames.map((name) => [name, []])) as unknown as DebusineRows;

/** The type of an array parameter, and the expression that makes the column's value from its element. */
const sqlOf: Readonly<Record<Kind, { readonly type: string; readonly value: (column: string) => string }>> = {
  id: { type: 'bigint', value: (column) => column },
  size: { type: 'bigint', value: (column) => column },
  integer: { type: 'integer', value: (column) => column },
  boolean: { type: 'boolean', value: (column) => column },
  text: { type: 'text', value: (column) => column },
  time: { type: 'bigint', value: (column) => `timestamptz 'epoch' + ${column} * interval '1 microsecond'` },
  interval: { type: 'interval', value: (column) => column },
  json: { type: 'jsonb', value: (column) => column },
};

/** The kind of a column, without the mark of a nullable one. */
function kindOf(kind: string): Kind {
  const base = kind.replace('?', '');
  if (base in sqlOf) return base as Kind;
  throw new Error(`no kind of columns is called ${kind}`);
}

/** The columns of a table, and the kind of each. */
function columnsOf(table: TableName): readonly (readonly [column: string, kind: Kind])[] {
  return Object.entries(debusineTables[table]).map(([column, kind]) => [column, kindOf(kind)]);
}

/** Replaces the contents of all tables: one TRUNCATE, and one INSERT per table with rows. */
export async function loadRows(client: Client, rows: DebusineRows): Promise<void> {
  await client.query(`TRUNCATE ${tableNames.join(', ')}`);
  for (const table of tableNames) if (rows[table].length > 0) await insert(client, table, rows[table]);
}

async function insert(client: Client, table: TableName, rows: readonly object[]): Promise<void> {
  const columns = columnsOf(table);
  const names = columns.map(([column]) => column);
  const values = columns.map(([column, kind]) => sqlOf[kind].value(column));
  const arrays = columns.map(([, kind], index) => `$${index + 1}::${sqlOf[kind].type}[]`);
  const from = `unnest(${arrays.join(', ')}) AS given (${names.join(', ')})`;
  const cells = rows.map((row) => new Map<string, unknown>(Object.entries(row)));
  await client.query(
    `INSERT INTO ${table} (${names.join(', ')}) SELECT ${values.join(', ')} FROM ${from}`,
    columns.map(([column, kind]) => cells.map((row) => parameter(kind, row.get(column)))),
  );
}

function parameter(kind: Kind, value: unknown): unknown {
  if (kind === 'json') return value === null ? null : JSON.stringify(value);
  return typeof value === 'bigint' ? String(value) : value;
}

/** Reads all tables, in the order of the ids. */
export async function readRows(client: Client): Promise<DebusineRows> {
  const read: [TableName, readonly object[]][] = [];
  for (const table of tableNames) read.push([table, await select(client, table)]);
  return Object.fromEntries(read) as DebusineRows;
}

async function select(client: Client, table: TableName): Promise<readonly object[]> {
  const columns = columnsOf(table);
  const texts = columns.map(([column, kind]) => {
    if (kind === 'time') return `(extract(epoch FROM ${column}) * 1000000)::bigint::text`;
    return `${column}::text`;
  });
  const text = `SELECT ${texts.join(', ')} FROM ${table} ORDER BY ${table}.id`;
  const { rows } = await client.query<(string | null)[]>({ text, rowMode: 'array' });
  return rows.map((row) =>
    Object.fromEntries(columns.map(([column, kind], index) => [column, valueOf(kind, row[index] ?? null)])),
  );
}

function valueOf(kind: Kind, text: string | null): unknown {
  if (text === null) return null;
  switch (kind) {
    case 'id':
    case 'integer':
    case 'time':
      return Number(text);
    case 'size':
      return BigInt(text);
    case 'boolean':
      return text === 'true';
    case 'json':
      return JSON.parse(text);
    case 'text':
    case 'interval':
      return text;
  }
}
