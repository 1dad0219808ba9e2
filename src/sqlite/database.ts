import type { Functions, Thread } from '../thread/index.ts';
import type { Database, DatabaseOptions, NoFunctions } from './contract.ts';
import { createFileThread } from './file-thread.ts';
import type { WorkerFunctions } from './protocol.ts';
import { Reader } from './reader.ts';

/**
 * Opens one SQLite file in a writer thread and a read-only thread, so that the event loop never waits for the disk. Creates the
 * file and migrates its schema if needed. Rejects with `data_invalid` or `data_version`: see `DatabaseOptions`.
 */
export async function openDatabase<W extends Functions = NoFunctions, R extends Functions = NoFunctions>(
  options: DatabaseOptions,
): Promise<Database<W, R>> {
  const { program, readProgram, ...file } = options;
  const writer = createFileThread<W>({ ...file, mode: 'write' }, program);
  const plainWriter: Thread<WorkerFunctions> = writer;
  await writer.open();
  const reader = new Reader<R>({ ...file, mode: 'read' }, readProgram);
  let closing: Promise<void> | undefined;

  /** Closes the writer last: SQLite empties the write-ahead log at the last close, and the reader may not write. */
  async function closeBoth(): Promise<void> {
    try {
      await reader.close();
    } finally {
      await writer.close();
    }
  }

  return {
    file: options.file,
    transact: (statements) => plainWriter.call('transact', statements),
    callWriter: (name, input, transfer) => writer.call(name, input, transfer),
    read: (sql, parameters, readOptions) => reader.read(sql, parameters, readOptions),
    callReader: (name, input, readOptions) => reader.call(name, input, readOptions),
    close: () => (closing ??= closeBoth()),
  };
}

/** The reading half of a `Database`. */
export type ReadOnlyDatabase<R extends Functions = NoFunctions> = Pick<
  Database<NoFunctions, R>,
  'file' | 'read' | 'callReader' | 'close'
>;

/** Opens an existing file read-only. Works while another process writes to it. */
export function openReadOnly<R extends Functions = NoFunctions>(
  options: Pick<DatabaseOptions, 'file' | 'remedy' | 'applicationId' | 'readProgram'>,
): ReadOnlyDatabase<R> {
  const { readProgram, ...named } = options;
  const reader = new Reader<R>({ ...named, migrations: [], synchronous: 'full', mode: 'read' }, readProgram);
  return {
    file: options.file,
    read: (sql, parameters, readOptions) => reader.read(sql, parameters, readOptions),
    callReader: (name, input, readOptions) => reader.call(name, input, readOptions),
    close: () => reader.close(),
  };
}
