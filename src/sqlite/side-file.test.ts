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
import { SideFile } from './index.ts';

let directory: string;
let target: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-side-'));
  target = join(directory, 'target');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('the target is there once it is committed, for this user alone, and nothing else is', () => {
  const side = new SideFile(target);
  writeFileSync(side.path, 'whole');
  expect(existsSync(target)).toBe(false);
  side.commit();
  side.discard();
  expect(readFileSync(target, 'utf8')).toBe('whole');
  expect(statSync(target).mode & 0o777).toBe(0o600);
  expect(readdirSync(directory)).toEqual(['target']);
});

test('what is not committed leaves the target as it was', () => {
  writeFileSync(target, 'before');
  const side = new SideFile(target);
  writeFileSync(side.path, 'half');
  side.discard();
  expect(readFileSync(target, 'utf8')).toBe('before');
  expect(readdirSync(directory)).toEqual(['target']);
});

test('what an interrupted writer left is removed by the next one, and nothing of other files', () => {
  const left = new SideFile(target);
  writeFileSync(left.path, 'half');
  writeFileSync(`${left.path}-journal`, 'of a half');
  const others = ['target.partial-', 'target.partial-abcdefg', 'target-2.partial-abcdef', 'target.partial-letter'];
  for (const name of others.slice(0, 3)) mkdirSync(join(directory, name));
  writeFileSync(join(directory, 'target.partial-letter'), 'a file');
  const side = new SideFile(target);
  side.commit();
  side.discard();
  expect(readdirSync(directory).toSorted()).toEqual(['target', ...others].toSorted());
});

test('a directory that cannot be written to is named', () => {
  const absent = join(directory, 'absent', 'target');
  expect(() => new SideFile(absent)).toThrow(`${absent} cannot be written: it does not exist`);
});
