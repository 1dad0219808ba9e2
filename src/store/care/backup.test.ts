import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { backupFile } from '../../sqlite/index.ts';
import { replaceLedger } from './backup.ts';
import { pulls, TestLedger, today } from './testing/ledger.ts';

let directory: string;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'tonnage-backup-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('a copy that was made beside a running server is restored with its last commits, which lie in a file of their own', async () => {
  const ledger = new TestLedger(join(directory, 'data'));
  const copies = join(directory, 'copies');
  mkdirSync(copies);
  const store = await ledger.open();
  await store.journal.commit({ number: 1, at: 0, increments: [pulls(today, 3n, { org: 'a.example' })] });
  for (const side of ['', '-wal']) copyFileSync(`${ledger.file}${side}`, join(copies, `ledger.sqlite${side}`));
  await store.close();
  const before = await ledger.answers(undefined);
  expect(before).not.toEqual([]);

  await ledger.care().restore(join(copies, 'ledger.sqlite'));
  expect(await ledger.answers(undefined)).toEqual(before);
});

test('what takes the place of a ledger brings along what lies in its write-ahead log', async () => {
  const [old, fresh] = [new TestLedger(join(directory, 'old')), new TestLedger(join(directory, 'fresh'))];
  await old.commit(undefined, [pulls(today, 1n, {})]);
  await fresh.commit(undefined, [pulls(today, 2n, {})]);
  const open = new DatabaseSync(fresh.file);
  open.exec('update account_day set value = 3');
  await replaceLedger(old.file, fresh.file, `${old.file}.replaced`);
  open.close();
  const replaced = new DatabaseSync(old.file, { readOnly: true });
  expect(replaced.prepare('select value from account_day').get()).toEqual({ value: 3 });
  replaced.close();
});

test('a backup that fails leaves no half of one', async () => {
  const [file, target] = [join(directory, 'garbage'), join(directory, 'target')];
  writeFileSync(file, 'this is no database, however long it is '.repeat(100));
  await expect(backupFile(file, target)).rejects.toMatchObject({ code: 'data_invalid' });
  expect(existsSync(target)).toBe(false);
});
