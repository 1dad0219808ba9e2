import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AtomicFile } from './index.ts';

let directory: string;
let target: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-atomic-'));
  target = join(directory, 'target');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('commit creates the target with mode 0600 and leaves no other file', () => {
  const file = new AtomicFile(target);
  writeFileSync(file.path, 'whole');
  expect(existsSync(target)).toBe(false);
  file.commit();
  file.discard();
  expect(readFileSync(target, 'utf8')).toBe('whole');
  expect(statSync(target).mode & 0o777).toBe(0o600);
  expect(readdirSync(directory)).toEqual(['target']);
});

test('discard without commit leaves the target unchanged', () => {
  writeFileSync(target, 'before');
  const file = new AtomicFile(target);
  writeFileSync(file.path, 'half');
  file.discard();
  expect(readFileSync(target, 'utf8')).toBe('before');
  expect(readdirSync(directory)).toEqual(['target']);
});

test('a writer removes the leftovers of an interrupted writer of the same target only', () => {
  const left = new AtomicFile(target);
  writeFileSync(left.path, 'half');
  writeFileSync(`${left.path}-journal`, 'of a half');
  const others = ['target.partial-', 'target.partial-abcdefg', 'target-2.partial-abcdef', 'target.partial-letter'];
  for (const name of others.slice(0, 3)) mkdirSync(join(directory, name));
  writeFileSync(join(directory, 'target.partial-letter'), 'a file');
  const file = new AtomicFile(target);
  file.commit();
  file.discard();
  expect(readdirSync(directory).toSorted()).toEqual(['target', ...others].toSorted());
});

test('the error for a missing directory names the target', () => {
  const absent = join(directory, 'absent', 'target');
  expect(() => new AtomicFile(absent)).toThrow(`${absent} cannot be written: there is no such file or directory`);
});
