import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { backupFile } from '../../sqlite/index.ts';
import { replaceLedger } from './backup.ts';
import { pulls, TestLedger, today } from '../../care/testing/ledger.ts';

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
  await expect(backupFile({ file, remedy: 'name another file' }, target)).rejects.toMatchObject({
    code: 'data_invalid',
  });
  expect(existsSync(target)).toBe(false);
});

describe('a restore over a ledger with findings', () => {
  /** A ledger with something wrong, which was replaced by a sound backup of it. */
  async function replaced(sql: string): Promise<{ readonly ledger: TestLedger; readonly kept: string }> {
    const ledger = new TestLedger(join(directory, 'data'));
    await ledger.commit(undefined, [pulls(today, 3n, { org: 'a.example' })]);
    const backup = join(directory, 'backup');
    await ledger.care().backup(backup);
    await ledger.commit(undefined, [pulls(today, 4n, { org: 'a.example' })]);
    const file = new DatabaseSync(ledger.file);
    file.exec(sql);
    file.close();
    const { keptAs = '' } = await ledger.care().restore(backup);
    return { ledger, kept: keptAs };
  }

  test('can be taken back where a rebuild mends them, by who says so', async () => {
    const { ledger, kept } = await replaced('update account_day set value = value + 1');
    const before = await ledger.answers(undefined);
    await expect(ledger.care().restore(kept)).rejects.toThrow(
      /replaced is not restored: account_day: .*; tonnage ledger rebuild mends that: restore it with --with-findings, then run/,
    );
    expect(await ledger.answers(undefined)).toEqual(before);
    const restored = await ledger.care().restore(kept, true);
    expect(restored).toEqual({ keptAs: `${kept}-2`, findings: expect.any(Array) });
    expect(restored.findings.map((line) => line.split(':')[0])).toEqual(['account_day', 'account_month']);
    await ledger.care().rebuild();
    expect(await ledger.care().check()).toEqual({ findings: [], notes: [] });
    expect(await ledger.answers(undefined)).toMatchObject([{ value: 7n }]);
  });

  test('cannot where a rebuild does not mend them, and says what is left', async () => {
    const { ledger, kept } = await replaced('update account_total set voided = -1; update account_day set value = 9');
    const before = await ledger.answers(undefined);
    for (const takesFindings of [false, true]) {
      await expect(ledger.care().restore(kept, takesFindings)).rejects.toThrow(
        /account_day: .*; account_total: .*; tonnage ledger rebuild does not mend that: restore another backup/,
      );
    }
    writeFileSync(join(directory, 'garbage'), 'this is no database, however long it is '.repeat(100));
    await expect(ledger.care().restore(join(directory, 'garbage'), true)).rejects.toThrow('garbage is damaged');
    expect(await ledger.answers(undefined)).toEqual(before);
  });

  test('leaves no side files behind that were not there', async () => {
    const { ledger, kept } = await replaced('update account_day set value = value + 1');
    await expect(ledger.care().restore(kept)).rejects.toThrow('is not restored');
    await ledger.care().restore(kept, true);
    const names = readdirSync(ledger.data).filter((name) => name.startsWith('ledger.sqlite'));
    expect(names.toSorted()).toEqual(['ledger.sqlite', 'ledger.sqlite.replaced', 'ledger.sqlite.replaced-2']);
  });
});
