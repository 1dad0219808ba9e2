import { join } from 'node:path';
import { compactFile, lockFile, makeDirectory } from '../../sqlite/index.ts';
import type { BatchEditor, LedgerFile, LedgerReader } from '../../store/index.ts';
import { assertLedger, closedAfter, withLedgerFile, withLedgerThreads } from '../facts.ts';
import { ledgerFile, openLedgerReadOnly } from '../open.ts';
import { backupLedger, replaceByCopy, restoreLedger } from './backup.ts';
import { inspectLedger } from './check.ts';
import { createBatchEditor, createLedgerEditor } from './editor.ts';
import { countErasing, FileEraseMark } from './erase-mark.ts';
import { createLedgerReader } from './reader.ts';

/** The ledger file `name` of the data directory `data`. Opens nothing yet. */
export function createLedgerFile(data: string, name: string): LedgerFile {
  const path = join(data, name);
  return {
    path,
    assertThere: () => assertLedger(path),
    async alone(work) {
      makeDirectory(data);
      const lock = lockFile(join(data, 'lock'));
      try {
        return await work();
      } finally {
        lock.release();
      }
    },
    inspect: () => inspectLedger(path),
    backup: (copy) => backupLedger(path, copy),
    restore: (backup, takesFindings) => restoreLedger(path, backup, takesFindings),
    read: (work) => withLedgerReader(path, work),
    edit: (work) => withLedgerFile(path, (database) => work(createLedgerEditor(database))),
    editBatches: (work, outboxBytesMax) => withBatches(path, work, outboxBytesMax),
    editCopy: (work, isWanted) => {
      const names = { fresh: `${path}.migrating`, keptAs: `${path}.before-migrate` };
      return replaceByCopy(path, names, (fresh) => withBatches(fresh, work), isWanted);
    },
    eraseMark: (hashKey, names) => new FileEraseMark(path, hashKey, names),
    unfinishedErases: () => countErasing(path),
    compact: () => compactFile(ledgerFile(path)),
  };
}

/** Opens a ledger file for reading, also while a server runs, and closes it after `work`. */
export async function withLedgerReader<T>(path: string, work: (ledger: LedgerReader) => Promise<T>): Promise<T> {
  return closedAfter(openLedgerReadOnly(path), (database) => work(createLedgerReader(database)));
}

function withBatches<T>(path: string, work: (ledger: BatchEditor) => Promise<T>, outboxBytesMax?: number): Promise<T> {
  const hasOutbox = outboxBytesMax !== undefined;
  const options = { heldKeysMax: Number.MAX_SAFE_INTEGER, ...(hasOutbox && { outboxBytesMax }) };
  return withLedgerThreads(path, options, async (database) => work(await createBatchEditor(database, hasOutbox)));
}
