import { codeOf, messageOf } from './errors.ts';

/** System errors of files, in words. */
const reasons: ReadonlyMap<unknown, string> = new Map([
  ['ENOENT', 'there is no such file or directory'],
  ['EEXIST', 'something else has that name'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EISDIR', 'this is a directory'],
  ['ENOTDIR', 'a part of its path is not a directory'],
  ['ENAMETOOLONG', 'its name is too long'],
  ['ELOOP', 'its symbolic links form a loop'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'the quota of the disk is used up'],
]);

/** The reason of a file error, to follow `cannot be read: ` or the like. For another error, its message. */
export function fileErrorReason(thrown: unknown): string {
  return reasons.get(codeOf(thrown)) ?? messageOf(thrown);
}
