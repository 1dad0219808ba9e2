import type { Database, SqlValue } from '../sqlite/index.ts';
import type { TokenRow, TokenTable } from '../store/index.ts';
import { closedAfter } from './facts.ts';
import { openLedgerDatabase } from './open.ts';

const columns = 'id, kind, hash, name, email, org, scope, debusine_scope, rights, created_at, expires_at, used_at';

/** The table of tokens in a ledger file. It does not check tokens. */
export function createTokenTable(database: Pick<Database, 'read' | 'transact'>): TokenTable {
  return {
    async all() {
      const rows = await database.read(`select ${columns} from token order by created_at, id`);
      return rows.map(tokenOf);
    },
    async add(token) {
      const sql = `insert into token (${columns}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
      await database.transact([{ sql, rows: [rowOf(token)], changes: 1 }]);
    },
    async remove(id) {
      await database.transact([{ sql: 'delete from token where id = ?', rows: [[id]] }]);
    },
    async used(times) {
      const sql = 'update token set used_at = ? where id = ?';
      await database.transact([{ sql, rows: times.map(({ id, at }) => [at, id]) }]);
    },
  };
}

/**
 * Runs `work` on the tokens of a ledger file that no server has open, and creates the file if missing. The caller holds
 * the lock of the data directory. Rejects as `openLedgerDatabase`.
 */
export async function withTokenTable<T>(file: string, work: (table: TokenTable) => Promise<T>): Promise<T> {
  return closedAfter(await openLedgerDatabase(file), (database) => work(createTokenTable(database)));
}

function rowOf(token: TokenRow): readonly SqlValue[] {
  return [
    token.id,
    token.kind,
    token.hash,
    token.name ?? null,
    token.email ?? null,
    token.org ?? null,
    token.scope === undefined ? null : JSON.stringify(token.scope),
    token.debusineScope ?? null,
    JSON.stringify(token.rights),
    token.createdAt,
    token.expiresAt ?? null,
    token.usedAt ?? null,
  ];
}

function tokenOf(row: readonly SqlValue[]): TokenRow {
  const [id, kind, hash, name, email, org, scope, debusineScope, rights, createdAt, expiresAt, usedAt] = row;
  return {
    id: String(id),
    kind: String(kind),
    hash: hash instanceof Uint8Array ? hash : new Uint8Array(),
    ...(typeof name === 'string' && { name }),
    ...(typeof email === 'string' && { email }),
    ...(typeof org === 'string' && { org }),
    ...(typeof scope === 'string' && { scope: listOf(scope) }),
    ...(typeof debusineScope === 'string' && { debusineScope }),
    rights: listOf(String(rights)),
    createdAt: Number(createdAt),
    ...(typeof expiresAt === 'bigint' && { expiresAt: Number(expiresAt) }),
    ...(typeof usedAt === 'bigint' && { usedAt: Number(usedAt) }),
  };
}

function listOf(json: string): readonly string[] {
  const list: unknown = JSON.parse(json);
  return Array.isArray(list) ? list.map(String) : [];
}
