import { messageOf } from '../base/index.ts';

/** What the usual system errors of reading a file mean. */
const reasons: ReadonlyMap<unknown, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['EISDIR', 'this is a directory'],
  ['ENOTDIR', 'a part of its path is not a directory'],
  ['ENAMETOOLONG', 'its name is too long'],
  ['ELOOP', 'its symbolic links lead round in a circle'],
]);

/** Why a file cannot be read, in words that go on after `cannot be read: `, from whatever reading it has thrown. */
export function readFailureOf(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return reasons.get(code) ?? messageOf(thrown);
}
