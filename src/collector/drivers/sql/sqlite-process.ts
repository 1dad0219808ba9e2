import { messageOf, TonnageError } from '../../../base/index.ts';
import { openReadOnly } from '../../../sqlite/index.ts';
import type { EngineQuery, Rows } from './engine.ts';
import type { SqliteFunctions } from './sqlite-program.ts';

/** What the process is to read. */
export interface SqliteRequest {
  readonly file: string;
  /** The module of the thread that has the file open. */
  readonly program: string;
  /** The statements that select the rows. */
  readonly queries: readonly Pick<EngineQuery, 'name' | 'sql' | 'timeoutMs'>[];
}

/** Its answer: the rows of each query, or why there are none. */
export type SqliteReply =
  | { readonly results: readonly Rows[] }
  | { readonly failure: { readonly query: string | undefined; readonly code: string; readonly message: string } };

/** SQLite cannot interrupt a statement, so this process ends itself as a whole. */
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}

async function readAll({ file, program, queries }: SqliteRequest): Promise<SqliteReply> {
  const readProgram = { module: new URL(program), options: null };
  const database = openReadOnly<SqliteFunctions>({ file, remedy: '', applicationId: 0, readProgram });
  let query: string | undefined;
  try {
    await database.callReader('begin', null);
    const results: Rows[] = [];
    for (const { name, sql, timeoutMs } of queries) {
      query = name;
      results.push(await database.callReader('rows', sql, { deadlineMs: timeoutMs }));
    }
    return { results };
  } catch (thrown) {
    const code = thrown instanceof TonnageError ? thrown.code : '';
    return { failure: { query, code, message: messageOf(thrown) } };
  }
}

// The parent has what it needs, or it has ended.
process.once('disconnect', end);
process.once('message', (request: SqliteRequest) => {
  void readAll(request).then((reply) => process.send?.(reply));
});
