export { backupFile, compactFile, copyFile, emptyLog, integrityProblems } from './care.ts';
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
export { makeDirectory, makePrivateDirectory } from './directory.ts';
export type { NamedFile } from './file-failure.ts';
export { lockFile, type FileLock } from './lock.ts';
export { closeToOthers } from './private-file.ts';
export { SideFile, syncPath } from './side-file.ts';
