export { backupFile, compactFile, integrityProblems } from './care.ts';
export type {
  Database,
  DatabaseOptions,
  ReadOptions,
  SqlValue,
  Statement,
  WriterFile,
  WriterProgram,
  WriterStatement,
} from './contract.ts';
export { openDatabase, openReadOnly, type ReadOnlyDatabase } from './database.ts';
export { makeDirectory } from './directory.ts';
export { lockFile, type FileLock } from './lock.ts';
