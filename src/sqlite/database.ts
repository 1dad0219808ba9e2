import type { Database, DatabaseOptions } from './contract.ts';
import { createFileThread } from './file-thread.ts';
import { Reader } from './reader.ts';

/**
 * Opens one SQLite file in a writer thread and a read-only thread, so that the event loop never waits for the disk. Creates the
 * file and migrates its schema if needed. Rejects with `data_invalid` or `data_version`: see `DatabaseOptions`.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { readProgram, ...writerOptions } = options;
  const writer = createFileThread({ ...writerOptions, mode: 'write' });
  await writer.open();
  const { program: _, ...readerOptions } = writerOptions;
  const reader = new Reader({ ...readerOptions, ...(readProgram && { program: readProgram }), mode: 'read' });
  let closing: Promise<void> | undefined;

  /** Closes the writer last: SQLite empties the write-ahead log when the last connection closes, and the reader may not write. */
  async function closeBoth(): Promise<void> {
    try {
      await reader.close();
    } finally {
      await writer.close();
    }
  }

  return {
    file: options.file,
    transact: (statements) => writer.call('transact', statements),
    callWriter: (name, input, transfer) => writer.call('call', { name, input }, transfer),
    read: (sql, parameters, readOptions) => reader.read(sql, parameters, readOptions),
    callReader: (name, input, readOptions) => reader.call(name, input, readOptions),
    close: () => (closing ??= closeBoth()),
  };
}

/** The reading half of a `Database`. */
export type ReadOnlyDatabase = Pick<Database, 'file' | 'read' | 'callReader' | 'close'>;

/** Opens an existing file read-only. Works while another process writes to it. */
export function openReadOnly(
  options: Pick<DatabaseOptions, 'file' | 'remedy' | 'applicationId' | 'readProgram'>,
): ReadOnlyDatabase {
  const { readProgram, ...named } = options;
  const opening = { ...named, migrations: [], synchronous: 'full', mode: 'read' } as const;
  const reader = new Reader({ ...opening, ...(readProgram && { program: readProgram }) });
  return {
    file: options.file,
    read: (sql, parameters, readOptions) => reader.read(sql, parameters, readOptions),
    callReader: (name, input, readOptions) => reader.call(name, input, readOptions),
    close: () => reader.close(),
  };
}
