import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from './index.ts';

const applicationId = 0x74657374;
const migrations = ['create table item (name text primary key, total integer not null) strict, without rowid'];

let directory: string;
let open: Database[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-sqlite-'));
  open = [];
});
afterEach(async () => {
  await Promise.all(open.map((database) => database.close()));
  rmSync(directory, { recursive: true, force: true });
});

async function opened(overrides: { readonly migrations?: readonly string[]; readonly applicationId?: number } = {}) {
  const database = await openDatabase({
    file: join(directory, 'test.sqlite'),
    remedy: 'put back a copy',
    applicationId,
    migrations,
    synchronous: 'normal',
    ...overrides,
  });
  open.push(database);
  return database;
}

const add = 'insert into item values (?, ?) on conflict (name) do update set total = total + excluded.total';

describe('transact', () => {
  test('runs a statement once for each row and returns how many rows each statement changed', async () => {
    const database = await opened();
    const changes = await database.transact([
      {
        sql: add,
        rows: [
          ['a', 1],
          ['b', 2],
          ['a', 5n],
        ],
      },
      { sql: 'delete from item where name = ?', rows: [['nothing']] },
    ]);
    expect(changes).toEqual([3, 0]);
    expect(await database.read('select name, total from item order by name')).toEqual([
      ['a', 6n],
      ['b', 2n],
    ]);
  });

  test('keeps integers beyond 2^53 exact and stores whole numbers as integers', async () => {
    const database = await opened();
    await database.transact([
      {
        sql: add,
        rows: [
          ['big', 2n ** 62n],
          ['small', 3],
        ],
      },
    ]);
    expect(await database.read('select total, typeof(total), ? + 1 from item order by name', [1])).toEqual([
      [2n ** 62n, 'integer', 2n],
      [3n, 'integer', 2n],
    ]);
  });

  test('writes nothing at all when a statement fails', async () => {
    const database = await opened();
    const failing = database.transact([
      { sql: add, rows: [['a', 1]] },
      { sql: 'insert into item values (?, ?)', rows: [['b', null]] },
    ]);
    await expect(failing).rejects.toMatchObject({ code: 'sqlite_failed', message: expect.stringMatching(/NOT NULL/) });
    expect(await database.read('select * from item')).toEqual([]);
  });

  test('rolls everything back if a guard fails', async () => {
    const database = await opened();
    await database.transact([{ sql: add, rows: [['number', 1]] }]);
    const guarded = (expected: number, next: number) =>
      database.transact([
        { sql: add, rows: [['x', 1]] },
        { sql: `update item set total = ? where name = 'number' and total = ?`, rows: [[next, expected]], changes: 1 },
      ]);
    await expect(guarded(7, 8)).rejects.toMatchObject({ code: 'sqlite_guard' });
    expect(await database.read('select name from item')).toEqual([['number']]);
    await guarded(1, 2);
    expect(await database.read('select name, total from item order by name')).toEqual([
      ['number', 2n],
      ['x', 1n],
    ]);
  });

  test('runs transactions in the order of the calls, and close waits for them', async () => {
    const database = await opened();
    const all = Array.from({ length: 50 }, () => database.transact([{ sql: add, rows: [['a', 1]] }]));
    await database.close();
    await Promise.all(all);
    const again = await opened();
    expect(await again.read('select total from item')).toEqual([[50n]]);
  });
});

test('close empties the write-ahead log, even while a query is running', async () => {
  for (const sql of [
    'select total from item',
    'with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000000) select sum(i) from n, item',
  ]) {
    const database = await opened();
    await database.transact([{ sql: add, rows: [['a', 1]] }]);
    await database.read('select 1');
    const running = database.read(sql).catch((error: unknown) => error);
    await database.close();
    await running;
    expect(existsSync(join(directory, 'test.sqlite-wal'))).toBe(false);
  }
});

describe('read', () => {
  test('cannot write', async () => {
    const database = await opened();
    await expect(database.read(`insert into item values ('a', 1)`)).rejects.toMatchObject({
      code: 'sqlite_failed',
      message: expect.stringMatching(/readonly/),
    });
  });

  test('rejects a query at its deadline, and still answers the next one', async () => {
    const database = await opened();
    const endless =
      'with recursive n(i) as (select 1 union all select i + 1 from n where i < 30000000) select sum(i) from n';
    const slow = database.read(endless, [], { deadlineMs: 50 });
    const behind = database.read('select 1', [], { deadlineMs: 60_000 });
    await expect(slow).rejects.toMatchObject({ code: 'query_deadline' });
    expect(await behind).toEqual([[1n]]);
  });

  test('does not block the writer', async () => {
    const database = await opened();
    const endless =
      'with recursive n(i) as (select 1 union all select i + 1 from n where i < 30000000) select sum(i) from n';
    const isBlocked = async (): Promise<boolean> => {
      const slow = database.read(endless, [], { deadlineMs: 400 }).catch((error: unknown) => error);
      let finished = false;
      void slow.then(() => (finished = true));
      await database.transact([{ sql: add, rows: [['a', 1]] }]);
      const blocked = finished;
      await slow;
      return blocked;
    };
    // A slow disk may delay the writer, but not every time.
    await expect.poll(isBlocked, { timeout: 60_000 }).toBe(false);
  });
});

describe('opening', () => {
  test('runs only the migrations that are new to the file', async () => {
    const first = await opened();
    await first.transact([{ sql: add, rows: [['kept', 1]] }]);
    await first.close();
    const second = await opened({ migrations: [...migrations, 'alter table item add column note text'] });
    expect(await second.read('select name, total, note from item')).toEqual([['kept', 1n, null]]);
  });

  test('rejects a file of a newer version', async () => {
    const newer = await opened({ migrations: [...migrations, 'create table later (a)'] });
    await newer.close();
    await expect(opened()).rejects.toMatchObject({
      code: 'data_version',
      message: expect.stringMatching(/expected schema version 1 or lower, found 2/),
    });
  });

  test('a migration that fails leaves the file at its old version', async () => {
    await (await opened()).close();
    await expect(
      opened({ migrations: [...migrations, 'create table a (x); create table a (x)'] }),
    ).rejects.toMatchObject({
      code: 'data_invalid',
    });
    const again = await opened();
    expect(await again.read(`select count(*) from sqlite_schema where name = 'a'`)).toEqual([[0n]]);
  });

  test('rejects a file that is not a database, and a database of another application, which keeps its mode', async () => {
    writeFileSync(join(directory, 'test.sqlite'), 'this is some text, long enough to be no database header at all');
    await expect(opened()).rejects.toMatchObject({
      code: 'data_invalid',
      message: expect.stringMatching(/not a database/),
    });
    rmSync(join(directory, 'test.sqlite'));
    const foreign = new DatabaseSync(join(directory, 'test.sqlite'));
    foreign.exec('create table theirs (a)');
    foreign.close();
    chmodSync(join(directory, 'test.sqlite'), 0o644);
    await expect(opened()).rejects.toMatchObject({
      code: 'data_invalid',
      message: expect.stringMatching(/application_id/),
    });
    expect(statSync(join(directory, 'test.sqlite')).mode & 0o777).toBe(0o644);
  });
});

describe('a file', () => {
  const name = (): string => join(directory, 'test.sqlite');
  const modes = (): readonly string[] =>
    readdirSync(directory).map((each) => `${each} ${(statSync(join(directory, each)).mode & 0o777).toString(8)}`);

  /** Fills all pages but the first with zeros. */
  function damage(): void {
    const database = new DatabaseSync(name());
    const pages = Number(database.prepare('pragma page_count').get()?.['page_count']);
    const size = Number(database.prepare('pragma page_size').get()?.['page_size']);
    database.close();
    truncateSync(name(), size);
    truncateSync(name(), size * pages);
  }

  test('and its side files have mode 0600', async () => {
    const database = await opened();
    await database.transact([{ sql: add, rows: [['a', 1]] }]);
    const expected = ['', '-shm', '-wal'].map((side) => `test.sqlite${side} 600`);
    expect(modes().toSorted()).toEqual(expected);
    await database.close();
    chmodSync(name(), 0o644);
    const reader = new DatabaseSync(name());
    reader.prepare('select * from item').all();
    for (const side of ['-shm', '-wal']) chmodSync(`${name()}${side}`, 0o666);
    await opened();
    expect(modes().toSorted()).toEqual(expected);
    reader.close();
  });

  test('is created completely or not at all, and an interrupted start does not block the next one', async () => {
    mkdirSync(`${name()}.partial-abcdef`);
    writeFileSync(join(`${name()}.partial-abcdef`, 'test.sqlite'), 'half of a page');
    await expect(opened({ migrations: ['create table a (x)', 'no SQL'] })).rejects.toMatchObject({
      code: 'data_invalid',
    });
    expect(readdirSync(directory)).toEqual([]);
    await (await opened()).close();
    expect(readdirSync(directory)).toEqual(['test.sqlite']);
  });

  test('that is damaged: reads, writes and opening name it and the remedy', async () => {
    const first = await opened();
    await first.transact([{ sql: add, rows: [['a', 1]] }]);
    await first.close();
    damage();
    const database = await opened();
    const damaged = {
      code: 'data_invalid',
      message: expect.stringMatching(/test\.sqlite is damaged \(.*\): put back a copy$/),
    };
    await expect(database.read('select * from item')).rejects.toMatchObject(damaged);
    await expect(database.transact([{ sql: add, rows: [['b', 1]] }])).rejects.toMatchObject(damaged);
    await database.close();
    writeFileSync(name(), 'this is some text, long enough to be no database header at all');
    await expect(opened()).rejects.toMatchObject(damaged);
  });

  test('that is missing while its log exists is rejected, and the log is kept', async () => {
    const first = await opened();
    await first.transact([{ sql: add, rows: [['a', 1]] }]);
    renameSync(name(), join(directory, 'moved'));
    await expect(opened()).rejects.toThrow(
      /test\.sqlite is missing, but .*test\.sqlite-wal exists .* remove the log, which loses its content$/,
    );
    expect(statSync(`${name()}-wal`).size).toBeGreaterThan(0);
    renameSync(join(directory, 'moved'), name());
  });
});
