import type { Database, DatabaseOptions, ReadOptions, SqlValue, Statement } from './contract.ts';
import { createLane } from './lane.ts';
import { Reader } from './reader.ts';

/**
 * Opens one SQLite file, bringing its schema up to date, with a writer worker and a read-only worker: the event loop
 * never waits for the disk. Rejects with `data_invalid` or `data_version` as `DatabaseOptions` says.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { file } = options;
  const writer = createLane({ ...options, mode: 'write' });
  await writer.open();
  const { program: _, readProgram, ...readerOptions } = options;
  const reader = new Reader({ ...readerOptions, ...(readProgram && { program: readProgram }), mode: 'read' });
  let closing: Promise<void> | undefined;

  /** The writer last: whoever closes last empties the write-ahead log into the file, and the reader may not. */
  async function closeBoth(): Promise<void> {
    try {
      await reader.close();
    } finally {
      await writer.close();
    }
  }

  return {
    file,
    transact: (statements: readonly Statement[]) => writer.ask('transact', statements),
    call: (name: string, input: unknown, transfer?: readonly ArrayBuffer[]) =>
      writer.ask('call', { name, input }, transfer),
    read: (sql: string, parameters: readonly SqlValue[] = [], readOptions: ReadOptions = {}) =>
      reader.read(sql, parameters, readOptions),
    ask: (name: string, input: unknown, readOptions: ReadOptions = {}) => reader.ask(name, input, readOptions),
    close: () => (closing ??= closeBoth()),
  };
}

/** The reading half of a `Database`. */
export type ReadOnlyDatabase = Pick<Database, 'file' | 'read' | 'ask' | 'close'>;

/** Opens a file that exists for reading only, also beside a process that writes it. */
export function openReadOnly(
  options: Pick<DatabaseOptions, 'file' | 'remedy' | 'applicationId' | 'readProgram'>,
): ReadOnlyDatabase {
  const { file, remedy, applicationId, readProgram } = options;
  const opening = { file, remedy, applicationId, migrations: [], synchronous: 'full', mode: 'read' } as const;
  const reader = new Reader({ ...opening, ...(readProgram && { program: readProgram }) });
  return {
    file,
    read: (sql, parameters = [], readOptions = {}) => reader.read(sql, parameters, readOptions),
    ask: (name, input, readOptions = {}) => reader.ask(name, input, readOptions),
    close: () => reader.close(),
  };
}
