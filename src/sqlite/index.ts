export { backupFile, compactFile, emptyLog, integrityProblems } from './care.ts';
export type {
  Database,
  DatabaseOptions,
  Program,
  ProgramFile,
  ProgramModule,
  ProgramStatement,
  ReadOptions,
  SqlValue,
  Statement,
} from './contract.ts';
export { openDatabase, openReadOnly, type ReadOnlyDatabase } from './database.ts';
export { makeDirectory } from './directory.ts';
export { lockFile, type FileLock } from './lock.ts';
