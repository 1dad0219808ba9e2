import { limits, TonnageError } from '../../../base/index.ts';
import { serveDatabase, type SqlValue } from '../../../sqlite/index.ts';
import { exact, type Cell } from '../../declared/cell.ts';
import type { Rows } from './engine.ts';

/** What the thread with the open file does. */
export type SqliteFunctions = {
  /** Begins a transaction, which ends with the thread. */
  begin(input: null): void;
  /** The rows of one statement, with the names of its columns. Throws `query_too_large` if they are too many bytes. */
  rows(input: string): Rows;
};

await serveDatabase<SqliteFunctions>((file) => {
  let bytes = 0;
  const cellOf = (value: SqlValue): Cell => {
    if (typeof value === 'bigint') return exact(value);
    if (value instanceof Uint8Array) return { what: 'bytes' };
    if (typeof value === 'string') bytes += value.length;
    return value;
  };
  return {
    begin: () => void file.prepare('begin').run(),
    rows(sql) {
      const statement = file.prepare(sql);
      const rows = statement.all().map((row) => row.map(cellOf));
      if (bytes > limits.sourceReplyBytesMax) {
        throw new TonnageError('query_too_large', `expected at most ${limits.sourceReplyBytesMax} bytes, got more`);
      }
      return { columns: statement.columns(), rows };
    },
  };
});
