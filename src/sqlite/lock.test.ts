import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { lockFile } from './index.ts';

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'tonnage-lock-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('a second lock is rejected with a message that says what to do', () => {
  const file = join(directory, 'lock');
  const lock = lockFile(file);
  expect(() => lockFile(file)).toThrow(expect.objectContaining({ code: 'data_locked' }));
  expect(() => lockFile(file)).toThrow(/stop it, or use another data directory/);
  lock.release();
  lockFile(file).release();
});

test('the lock is free as soon as its process is killed', async () => {
  const file = join(directory, 'lock');
  const program = `import { lockFile } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
    lockFile(${JSON.stringify(file)}); console.log('held');
    setTimeout(() => { gc(); console.log('still held'); }, 20); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  holder.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  // The garbage collector must not free a lock that the program keeps no reference to.
  await expect.poll(() => said, { timeout: 60_000 }).toContain('still held');
  try {
    expect(() => lockFile(file)).toThrow(/locked by another/);
  } finally {
    holder.kill('SIGKILL');
    await once(holder, 'exit');
  }
  lockFile(file).release();
});

test('the error for a missing directory names the file', () => {
  expect(() => lockFile(join(directory, 'absent', 'lock'))).toThrow(
    /absent\/lock cannot be locked: there is no such file or directory/,
  );
});

test('the lock file has mode 0600', () => {
  const file = join(directory, 'lock');
  lockFile(file).release();
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

describe('a lock file that other users can read', () => {
  let file: string;
  beforeEach(() => {
    file = join(directory, 'lock');
    writeFileSync(file, '');
    chmodSync(file, 0o644);
  });

  /** Starts a process that locks the file with `sql`. Resolves with a function that kills it. */
  async function holder(sql: string, readOnly: boolean): Promise<() => Promise<void>> {
    const program = `import { DatabaseSync } from 'node:sqlite';
      const database = new DatabaseSync(${JSON.stringify(file)}, { readOnly: ${readOnly} });
      database.exec(${JSON.stringify(sql)}); console.log('held'); setInterval(() => database.isOpen, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    return async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    };
  }

  test('is replaced, so that the read lock of another user does not block', async () => {
    const end = await holder('begin; select count(*) from sqlite_schema', true);
    try {
      const other = new DatabaseSync(file, { timeout: 0 });
      expect(() => other.exec('begin exclusive')).toThrow('database is locked');
      other.close();
      const lock = lockFile(file);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      expect(readdirSync(directory)).toEqual(['lock']);
      expect(() => lockFile(file)).toThrow(expect.objectContaining({ code: 'data_locked' }));
      lock.release();
      lockFile(file).release();
    } finally {
      await end();
    }
  });

  test('still blocks a second server while the first one holds the lock', async () => {
    const end = await holder('begin exclusive', false);
    try {
      expect(() => lockFile(file)).toThrow(
        /is locked by another Tonnage process.* if no Tonnage is running, remove it/,
      );
      expect(statSync(file).mode & 0o777).toBe(0o644);
    } finally {
      await end();
    }
    // The replaced file stays locked too, against a process that opened it before.
    const old = new DatabaseSync(file, { timeout: 0 });
    const lock = lockFile(file);
    expect(() => old.exec('begin exclusive')).toThrow('database is locked');
    lock.release();
    old.close();
  });
});
