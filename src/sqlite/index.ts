export { backupFile, checkpointLog, compactFile, copyFile, integrityProblems } from './maintenance.ts';
export { AtomicFile, syncPath } from './atomic-file.ts';
export type {
  Database,
  DatabaseOptions,
  ProgramFile,
  ProgramModule,
  ProgramStatement,
  ReadOptions,
  SqlValue,
  Statement,
} from './contract.ts';
export { openDatabase, openReadOnly, type ReadOnlyDatabase } from './database.ts';
export { makeDirectory, makePrivateDirectory } from './directory.ts';
export type { NamedFile } from './file-error.ts';
export { lockFile, type FileLock } from './lock.ts';
export { assertKnownVersion } from './open-file.ts';
export { makePrivate } from './private-file.ts';
export { serveDatabase } from './serve-database.ts';
