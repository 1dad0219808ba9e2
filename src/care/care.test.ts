import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pulls, TestLedger, today } from './testing/ledger.ts';
import { outcome } from '../usage/index.ts';

let directory: string;
let ledger: TestLedger;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-care-'));
  ledger = new TestLedger(directory);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Changes the file behind the ledger's back. */
function spoil(sql: string): void {
  const database = new DatabaseSync(ledger.file);
  database.exec('pragma foreign_keys = off');
  database.exec(sql);
  database.close();
}

function rows(sql: string): readonly Record<string, unknown>[] {
  const database = new DatabaseSync(ledger.file, { readOnly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}

const old = today - 500;
const cells = [
  pulls(today, 3n, { org: 'a.example', arch: 'amd64', repository: 'x' }),
  pulls(today - 30, 4n, { org: 'b.example', repository: 'y' }),
  pulls(old, 5n, { org: 'a.example', arch: 'arm64', repository: 'z' }),
];

/** A ledger that has dropped the details of its oldest day. */
async function withOldDay(): Promise<void> {
  await ledger.with(undefined, async ({ journal }) => {
    await journal.commit({ number: 1, at: 0, increments: cells });
    while (await journal.tidy({ keys: 0, details: today - 400 }));
  });
}

describe('days whose details are gone', () => {
  test('are no finding, and outlive a rebuild', async () => {
    await withOldDay();
    const before = await ledger.answers(undefined);
    expect(await ledger.care().check()).toEqual({ findings: [], notes: [] });
    await ledger.care().rebuild();
    expect(await ledger.answers(undefined)).toEqual(before);
    expect(before).toHaveLength(3);
  });

  test('mend their month, as other days do', async () => {
    await withOldDay();
    const before = await ledger.answers(undefined);
    spoil('update account_month set value = value + 1; delete from account_day where day >= 20000 and value = 3');
    const { findings } = await ledger.care().check();
    expect(findings.map((line) => line.split(':')[0])).toEqual(['account_day', 'account_month']);
    await ledger.care().rebuild();
    expect(await ledger.care().check()).toEqual({ findings: [], notes: [] });
    expect(await ledger.answers(undefined)).toEqual(before);
  });
});

describe('restore', () => {
  test('puts a backup in the place of a damaged ledger, which is kept as it is', async () => {
    await ledger.commit(undefined, cells);
    const before = await ledger.answers(undefined);
    const backup = join(directory, 'backup');
    await ledger.care().backup(backup);
    writeFileSync(ledger.file, 'damaged');
    writeFileSync(`${ledger.file}-wal`, 'damaged too');
    const replaced = `${ledger.file}.replaced`;
    expect(await ledger.care().restore(backup)).toEqual({ keptAs: replaced, findings: [] });
    expect(readFileSync(replaced, 'utf8')).toBe('damaged');
    expect(await ledger.answers(undefined)).toEqual(before);
    expect(await ledger.care().check()).toEqual({ findings: [], notes: [] });
  });
});

describe('check', () => {
  test.each([
    ['delete from outbox where number = 2', /outbox: 1 of the batches from 1 to 3 are missing/],
    ['delete from outbox where number = 3', /outbox: the batches after 2 are missing, the last one of the ledger is 3/],
    ['update ledger set last_batch = 2', /outbox: has batch 3, the last one of the ledger is 2/],
    ['update ledger set delivered = 4', /batch 4 is said to be delivered, the last one is 3/],
    ['update outbox_touch set number = 9', /outbox_touch: names batch 9/],
    ['update account_total set voided = -1', /account_total: 2 accounts/],
    ["update key_run set entries = x'00'", /key_run: run 1 cannot be read/],
    ['update series set id = 99 where id = (select max(id) from series)', /key_run: run 1 names series/],
    ['insert into pending_claim (run, events) values (7, 1)', /pending_claim: 1 runs of keys/],
    ['insert into voided_key (run, position) values (7, 0)', /voided_key: 1 voids name keys that are not there/],
  ])('finds %s', async (sql, finding) => {
    // Where no Redis is, so that all batches stay in the outbox.
    const store = await ledger.open('redis://127.0.0.1:1');
    await store.journal.commit({ number: 1, at: 0, increments: cells.slice(0, 1) });
    await store.journal.commit({ number: 2, at: 0, increments: cells.slice(0, 1) });
    await store.close();
    const keyed = await ledger.open('redis://127.0.0.1:1');
    const { keyed: events } = await import('./testing/ledger.ts');
    const event = { id: 1, meter: 'pulls', day: today, dimensions: { org: 'k.example' } };
    await keyed.journal.commit({ number: 3, at: 0, increments: [], keyed: events([event]) });
    await keyed.close();
    expect((await ledger.care().check()).findings).toEqual([]);
    spoil(sql);
    expect((await ledger.care().check()).findings.join('\n')).toMatch(finding);
  });
});

test('a ledger does not go elsewhere while events wait to be claimed where it is', async () => {
  await ledger.commitKeyed(undefined, [{ id: 1, meter: 'pulls', day: today, dimensions: {} }]);
  spoil('insert into pending_claim (run, events) values (1, 1)');
  await expect(ledger.care().migrate(undefined)).rejects.toThrow('1 events wait to be claimed');
});

describe('erase', () => {
  const events = [1, 2].map((id) => ({
    id,
    meter: 'pulls',
    day: today,
    dimensions: { org: 'a.example', arch: 'amd64' },
  }));

  function bytesWith(text: string): readonly string[] {
    return readdirSync(directory).filter((name) => readFileSync(join(directory, name)).includes(text));
  }

  test('an organisation: its counts stand under none, its name stands nowhere in the file', async () => {
    await withOldDay();
    await ledger.commitKeyed(undefined, events);
    expect(bytesWith('a.example')).toContain('ledger.sqlite');
    expect(await ledger.care().planErase({ org: 'A.example' })).toEqual({
      isKnown: true,
      series: 4,
      counts: [{ meter: 'pulls', quantity: 10n }],
      cells: 3,
    });
    await ledger.care().erase({ org: 'A.example' });
    expect(bytesWith('a.example')).toEqual([]);
    expect(await ledger.answers(undefined)).toEqual([
      { meter: 'pulls', from: old, dimensions: { org: null, arch: 'arm64' }, value: 5n },
      { meter: 'pulls', from: today - 30, dimensions: { org: 'b.example', arch: null }, value: 4n },
      { meter: 'pulls', from: today, dimensions: { org: null, arch: 'amd64' }, value: 5n },
    ]);
    expect(await ledger.care().check()).toEqual({ findings: [], notes: [] });
    const totals = await ledger.with(undefined, ({ journal }) => journal.accounts());
    expect(totals.map(({ account, counted }) => [account.dimensions, counted])).toEqual([
      [{ org: 'b.example' }, 4n],
      [{ arch: 'amd64' }, 5n],
      [{ arch: 'arm64' }, 5n],
    ]);
  });

  test('a void that comes later finds where its event counts now; a new event counts anew', async () => {
    await ledger.commitKeyed(undefined, events);
    await ledger.care().erase({ org: 'a.example' });
    expect(await ledger.commitKeyed(undefined, [{ id: 3, voids: 1 }])).toEqual([outcome.accepted]);
    expect(
      await ledger.commitKeyed(undefined, [{ ...events[1], id: 2, meter: 'pulls', day: today, dimensions: {} }]),
    ).toEqual([outcome.duplicate]);
    await ledger.commit(undefined, [pulls(today, 7n, { org: 'a.example', arch: 'amd64' })]);
    expect(await ledger.answers(undefined)).toEqual([
      { meter: 'pulls', from: today, dimensions: { org: 'a.example', arch: 'amd64' }, value: 7n },
      { meter: 'pulls', from: today, dimensions: { org: null, arch: 'amd64' }, value: 1n },
    ]);
    // Erased again, with the first void's event moved a second time.
    await ledger.care().erase({ org: 'a.example' });
    expect(await ledger.commitKeyed(undefined, [{ id: 4, voids: 2 }])).toEqual([outcome.accepted]);
    expect(await ledger.answers(undefined)).toEqual([
      { meter: 'pulls', from: today, dimensions: { org: null, arch: 'amd64' }, value: 7n },
    ]);
    expect(await ledger.care().check()).toEqual({ findings: [], notes: [] });
  });

  test('the id of an erased series is given to no other, so that a void never takes from a stranger', async () => {
    await ledger.commitKeyed(undefined, events);
    const [before] = rows('select max(id) as id from series');
    await ledger.care().erase({ org: 'a.example' });
    await ledger.commit(undefined, [pulls(today, 1n, { org: 'new.example' })]);
    const [after] = rows("select id from series where org = 'new.example'");
    expect(Number(after?.['id'])).toBeGreaterThan(Number(before?.['id']));
  });

  test('a user, by name or by pseudonym, leaves organisation and architecture alone', async () => {
    const hashKey = await ledger.with(undefined, ({ keyHash }) => Promise.resolve(keyHash.secret));
    const { Pseudonyms } = await import('../usage/index.ts');
    const pseudonym = new Pseudonyms(hashKey).of('user', 'alice');
    const of = (user: string) => pulls(today, 2n, { org: 'a.example', repository: 'x', user });
    await ledger.commit(undefined, [of(pseudonym), of('bob')], [of('alice'), pulls(today, 1n, { org: 'a.example' })]);
    await ledger.care().erase({ user: 'alice' });
    expect([...bytesWith('alice'), ...bytesWith(pseudonym)]).toEqual([]);
    expect(await ledger.answers(undefined, ['repository', 'user'])).toEqual([
      {
        meter: 'pulls',
        from: today,
        dimensions: { org: 'a.example', arch: null, repository: 'x', user: null },
        value: 4n,
      },
      {
        meter: 'pulls',
        from: today,
        dimensions: { org: 'a.example', arch: null, repository: 'x', user: 'bob' },
        value: 2n,
      },
      {
        meter: 'pulls',
        from: today,
        dimensions: { org: 'a.example', arch: null, repository: null, user: null },
        value: 1n,
      },
    ]);
    expect(await ledger.care().check()).toEqual({ findings: [], notes: [] });
  });

  test('is refused while the sums do not agree, or while batches with the name wait for a Redis', async () => {
    const store = await ledger.open('redis://127.0.0.1:1');
    await store.journal.commit({ number: 1, at: 0, increments: cells });
    await store.close();
    await expect(ledger.care().erase({ org: 'a.example' })).rejects.toThrow(
      '1 batches up to 1 wait for their delivery',
    );
    // Totals are in the file alone from here on: the outbox leads nowhere.
    await ledger.care().rebuild();
    spoil('update account_day set value = value + 1');
    await expect(ledger.care().erase({ org: 'a.example' })).rejects.toThrow(
      /run tonnage ledger rebuild, then this again/,
    );
    await ledger.care().rebuild();
    await ledger.care().erase({ org: 'a.example' });
    expect(bytesWith('a.example')).toEqual([]);
    expect(existsSync(`${ledger.file}-wal`)).toBe(false);
  });
});
