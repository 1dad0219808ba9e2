import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { suiteRedis } from '../../test/support/redis-suite.ts';
import { eventually, type RedisServer } from '../../test/support/redis.ts';
import { systemClock } from '../base/index.ts';
import type { Increment } from '../usage/index.ts';
import { pulls, remoteAt, TestLedger, today } from '../care/testing/ledger.ts';
import { createLedgerFile } from '../ledger-file/index.ts';
import { importWave } from './import/index.ts';
import type { RedisLink } from '../redis-link/index.ts';
import { waveCommands } from './read/testing/fill.ts';
import { expectedSums, readState, sumsOf } from './write/testing/model.ts';

const redis = suiteRedis();
const another = suiteRedis();
let link: RedisLink;
let ledger: TestLedger;

const freshLedger = () => new TestLedger(redis.newPath());

beforeEach(async () => {
  ({ link } = await redis.freshLink());
  await another.server.cli('flushall');
  ledger = freshLedger();
});

const noFindings = { findings: [], notes: [] };
const first = [
  pulls(today, 3n, { org: 'a.example', arch: 'amd64', repository: 'x', user: 'u' }),
  pulls(today - 40, 4n, { org: 'b.example', repository: 'y' }),
  { ...pulls(today - 40, 9n, { org: 'a.example' }), meter: 'egress_bytes' },
];
const second = [
  pulls(today, 5n, { org: 'a.example', arch: 'amd64', repository: 'x', user: 'u' }),
  pulls(today, 6n, {}),
];

async function expectHeld(...increments: readonly Increment[]): Promise<void> {
  expect(sumsOf(await readState(link))).toEqual(expectedSums([{ ledgerId: ledger.id(), increments }]));
}

describe('check', () => {
  test('compares the sums of this ledger in Redis, by day and by month', async () => {
    await ledger.commit(redis.server.url, first, second);
    expect(await ledger.care(redis.server.url).check()).toEqual(noFindings);
    await redis.server.cli(
      'hincrby',
      `{metrics/v1}:own:${ledger.id()}:day:pulls:2026-11-21`,
      '["a.example","amd64"]',
      '1',
    );
    await redis.server.cli('del', `{metrics/v1}:own:${ledger.id()}:month:pulls:2026-10`);
    await redis.server.cli('hset', `{metrics/v1}:own:${ledger.id()}:day:scans:2026-01-01`, '[null,null]', '1');
    await redis.server.cli('sadd', `{metrics/v1}:own:${ledger.id()}:days:scans`, '2026-01-01');
    expect(await ledger.care(redis.server.url).check()).toEqual({
      findings: [
        'Redis: pulls of 2026-11-21 is not what this ledger has counted',
        'Redis: pulls of the month 2026-10 is not what this ledger has counted',
        'Redis: scans of 2026-01-01 is not what this ledger has counted',
      ],
      notes: [],
    });
  });

  test('reports what it could not compare', async () => {
    await ledger.commit(redis.server.url, first);
    const store = await ledger.open(redis.server.url);
    await store.journal.commit({ number: 2, at: 0, increments: second });
    await store.close();
    expect(await ledger.care(redis.server.url).check()).toEqual({
      findings: [],
      notes: ['Redis was not compared: 1 batch is not delivered yet, which a running server does by itself'],
    });
    const { findings, notes } = await ledger.care('redis://nobody:wrong@127.0.0.1:1').check();
    expect(findings).toEqual([]);
    expect(notes).toEqual([expect.stringContaining('Redis was not compared: ')]);
  });
});

describe('rebuild', () => {
  test('fills an emptied Redis, and delivery continues from there', async () => {
    await ledger.commit(redis.server.url, first, second);
    await redis.server.cli('flushall');
    const progress: number[] = [];
    const rebuilt = await ledger.care(redis.server.url).rebuild(({ done }) => progress.push(done));
    expect(rebuilt).toMatchObject({ days: 3, rejected: 0 });
    expect(progress).toEqual([1, 2, 3]);
    await expectHeld(...first, ...second);
    expect(await ledger.care(redis.server.url).check()).toEqual(noFindings);
    await ledger.commit(redis.server.url, second, [pulls(today - 2, 1n, { repository: 'new' })]);
    await expectHeld(...first, ...second, ...second, pulls(today - 2, 1n, { repository: 'new' }));
  });

  test('resets Redis to a restored backup of the ledger', async () => {
    await ledger.commit(redis.server.url, first);
    const backup = join(redis.directory, 'backup.sqlite');
    await ledger.care(redis.server.url).backup(backup);
    await ledger.commit(redis.server.url, second, [pulls(today - 80, 1n, { org: 'late.example' })]);
    await ledger.care(redis.server.url).restore(backup);
    expect((await ledger.care(redis.server.url).check()).findings).toEqual([
      'totals are incomplete (ledger_gap): the ledger was restored from a backup, so its store may have batches that the ' +
        'ledger does not have; stop the server and run tonnage ledger rebuild',
    ]);
    await ledger.care(redis.server.url).rebuild();
    await expectHeld(...first);
    await ledger.commit(redis.server.url, second);
    await expectHeld(...first, ...second);
    expect(await ledger.care(redis.server.url).check()).toEqual(noFindings);
  });

  test('does not change days whose details have expired', async () => {
    const old = pulls(today - 500, 7n, { org: 'a.example', repository: 'z' });
    await ledger.with(redis.server.url, async ({ journal }) => {
      await journal.commit({ number: 1, at: 0, increments: [...first, old] });
      while (await journal.tidy({ keys: 0, details: today - 400 }));
    });
    await redis.server.cli('flushall');
    await ledger.care(redis.server.url).rebuild();
    const expected = expectedSums([{ ledgerId: ledger.id(), increments: [...first, old] }], today - 400);
    expect(sumsOf(await readState(link))).toEqual(expected);
  });
});

describe('migrate', () => {
  const wave = [
    pulls(today - 700, 10n, { org: 'w.example', arch: 'arm64' }),
    pulls(today - 40, 2n, { org: 'b.example' }),
    pulls(today - 1, 1n, {}),
  ];

  async function fillWave(): Promise<void> {
    await link.pipeline(wave.flatMap((event) => waveCommands(event)));
    await importWave({ link, clock: systemClock });
  }

  test('from SQLite to a Redis in which Wave has counted', async () => {
    await ledger.commit(undefined, first, second);
    await fillWave();
    const migrated = await ledger.care().migrate(remoteAt(redis.server.url));
    expect(migrated).toMatchObject({ taken: { cells: 0 }, rebuilt: { days: 3, rejected: 0 } });
    const waves = expectedSums([{ ledgerId: 'x', increments: wave }])['metrics/v1'];
    const all = expectedSums([{ ledgerId: 'x', increments: [...wave, ...first, ...second] }])['metrics/v1'];
    expect(Object.keys(waves ?? {}).length).toBeGreaterThan(5);
    expect(sumsOf(await readState(link))['metrics/v1']).toEqual(all);
    await ledger.care().migrate(remoteAt(redis.server.url));
    expect(sumsOf(await readState(link))['metrics/v1']).toEqual(all);
    await ledger.commit(redis.server.url, second);
    expect(await ledger.care(redis.server.url).check()).toEqual(noFindings);
  });

  test('from Redis to SQLite, with the counts of Wave and of other ledgers, once', async () => {
    await fillWave();
    await ledger.commit(redis.server.url, first, second);
    await freshLedger().commit(redis.server.url, [pulls(today - 3, 8n, { org: 'o.example', repository: 'r' })]);
    const before = await ledger.answers(redis.server.url);
    const migrated = await ledger.care(redis.server.url).migrate(undefined);
    expect(migrated).toMatchObject({ taken: { cells: 4, counts: 21n }, notes: [] });
    expect(await ledger.answers(undefined)).toEqual(before);
    expect(await ledger.care().check()).toEqual(noFindings);
    const held = await readState(link);

    const again = await ledger.care(redis.server.url).migrate(undefined);
    expect(again).toMatchObject({
      taken: { cells: 0 },
      notes: [expect.stringContaining('was taken over by an earlier run')],
    });
    expect(await ledger.answers(undefined)).toEqual(before);
    // A migration back would count it twice.
    const twice = /would count it there a second time/;
    await expect(ledger.care(redis.server.url).rebuild()).rejects.toThrow(twice);
    await expect(ledger.care().migrate(remoteAt(redis.server.url))).rejects.toThrow(twice);
    expect(await readState(link)).toEqual(held);
    // The ledger as it was before may be migrated.
    await ledger.care(redis.server.url).restore(`${ledger.file}.before-migrate`);
    await ledger.care(redis.server.url).rebuild();
    expect(await ledger.answers(redis.server.url)).toEqual(before);
  }, 600_000);

  test('delivers pending batches first, and fails if it cannot', async () => {
    await ledger.commit(redis.server.url, first);
    const store = await ledger.open(redis.server.url);
    await store.journal.commit({ number: 2, at: 0, increments: second });
    await store.close();
    await ledger.care(redis.server.url).migrate(undefined);
    await expectHeld(...first, ...second);
    await ledger.commit(undefined, second);
    await expect(ledger.care(redis.server.url).migrate(undefined)).rejects.toThrow(
      'batch 3 of this ledger is missing in Redis, and the outbox no longer has it; the ledger still has the counts',
    );
  });

  test('from one Redis to another, with the same answers afterwards', async () => {
    await fillWave();
    await ledger.commit(redis.server.url, first, second);
    const before = await ledger.answers(redis.server.url);
    await expect(ledger.care(redis.server.url).migrate(remoteAt(redis.server.url))).rejects.toThrow(
      'name the same Redis',
    );
    await ledger.care(redis.server.url).migrate(remoteAt(another.server.url));
    expect(await ledger.answers(another.server.url)).toEqual(before);
    expect(await ledger.care(another.server.url).check()).toEqual(noFindings);
    await ledger.care(redis.server.url).migrate(remoteAt(another.server.url));
    expect(await ledger.answers(another.server.url)).toEqual(before);
  });

  test("from one Redis to a copy of it, which already has Wave's counts", async () => {
    await fillWave();
    await ledger.commit(redis.server.url, first);
    await freshLedger().commit(redis.server.url, [pulls(today - 3, 8n, { org: 'o.example', repository: 'r' })]);
    await copyTo(another.server);
    await ledger.commit(redis.server.url, second);
    const before = await ledger.answers(redis.server.url);
    const { taken, notes } = await ledger.care(redis.server.url).migrate(remoteAt(another.server.url));
    expect(taken.cells).toBe(0);
    expect(notes).toEqual([expect.stringContaining('pulls: the new Redis has counts of Wave itself (2024-12-21...)')]);
    expect(await ledger.answers(another.server.url)).toEqual(before);
  });

  /** Copies this Redis to another one. */
  async function copyTo(target: RedisServer): Promise<void> {
    await target.cli('replicaof', '127.0.0.1', String(redis.server.port));
    await eventually('the copy is complete', async () => (await target.cli('role')).includes('connected'));
    await target.cli('replicaof', 'no', 'one');
  }
});

describe('erase', () => {
  const filesWith = (text: string) =>
    readdirSync(ledger.data).filter((name) => readFileSync(join(ledger.data, name)).includes(text));

  test("an organisation, including Wave's counts of it; sums of days and architectures stay", async () => {
    const wave = [pulls(today - 1, 7n, { org: 'a.example', arch: 'arm64' })];
    await link.pipeline(wave.flatMap((event) => waveCommands(event)));
    await importWave({ link, clock: systemClock });
    await ledger.commit(redis.server.url, first, second);
    const before = sumsOf(await readState(link))['metrics/v1'] ?? {};
    await ledger.care(redis.server.url).erase({ org: 'a.example' });
    const state = await readState(link);
    const fields = Object.entries(before).filter(([field]) => !field.includes('/o/a.example'));
    expect(state['metrics/v1']).toEqual(Object.fromEntries(fields));
    expect(JSON.stringify(state)).not.toContain('a.example');
    expect(filesWith('a.example')).toEqual([]);
    expect(await ledger.care(redis.server.url).check()).toEqual(noFindings);
    await ledger.commit(redis.server.url, second);
    expect(await ledger.care(redis.server.url).check()).toEqual(noFindings);
  });

  test('a name that only Wave has counted, until it is erased', async () => {
    await ledger.commit(redis.server.url, first);
    const care = ledger.care(redis.server.url);
    expect(await care.planErase({ org: 'w.example' })).toMatchObject({ isKnown: false });
    await redis.server.cli('hincrby', 'metrics/v1', 'pulls/o/w.example', '5');
    expect(await care.planErase({ org: 'W.example' })).toEqual({ isKnown: true, series: 0, cells: 0, counts: [] });
    expect(await care.planErase({ user: 'w.example' })).toMatchObject({ isKnown: false });
    await care.erase({ org: 'w.example' });
    expect(await care.planErase({ org: 'w.example' })).toMatchObject({ isKnown: false });
    expect(await redis.server.cli('hexists', 'metrics/v1', 'pulls/o/w.example')).toBe('0');
  });

  test('a user: accounts stay the same, details have no user', async () => {
    await ledger.commit(redis.server.url, first, second);
    await ledger.care(redis.server.url).erase({ user: 'u' });
    const nobodys = [...first, ...second].map((increment) => {
      const { org, arch, repository } = increment.dimensions;
      const kept = Object.entries({ org, arch, repository }).filter(([, value]) => value !== undefined);
      return { ...increment, dimensions: Object.fromEntries(kept) };
    });
    await expectHeld(...nobodys);
    expect(await ledger.care(redis.server.url).check()).toEqual(noFindings);
  });

  test('a name in the cells of shared claims: a claim refers to the cell without the name', async () => {
    await ledger.commit(redis.server.url, first);
    const cells = '{metrics/v1}:seen:2026-11-19:cells';
    const texts = [
      '["pulls",20778,"a.example","amd64"]',
      '["pulls",20778,"b.example"]',
      '["pulls",20778,null,"amd64"]',
    ];
    for (const [index, text] of texts.entries()) {
      await redis.server.cli('hset', cells, text, String(index + 1), String(index + 1), text);
    }
    await redis.server.cli('hset', cells, '["pulls",20779,"a.example"]', '4', '4', '["pulls",20779,"a.example"]');
    await redis.server.cli('sadd', '{metrics/v1}:seen', '2026-11-19');
    for (let times = 0; times < 2; times++) {
      await ledger.care(redis.server.url).erase({ org: 'a.example' });
      expect((await readState(link))[cells]).toEqual({
        1: '["pulls",20778,null,"amd64"]',
        2: '["pulls",20778,"b.example"]',
        3: '["pulls",20778,null,"amd64"]',
        4: '["pulls",20779]',
        'erased:1': '1',
        '["pulls",20778,"b.example"]': '2',
        '["pulls",20778,null,"amd64"]': '3',
        '["pulls",20779]': '4',
      });
    }
  });

  test('may be interrupted while Redis is down, and repeated', async () => {
    await ledger.commit(redis.server.url, first);
    await redis.server.cli('config', 'set', 'maxmemory-policy', 'allkeys-lru');
    await expect(ledger.care(redis.server.url).erase({ org: 'a.example' })).rejects.toMatchObject({
      code: 'store_evicts',
    });
    await redis.server.cli('config', 'set', 'maxmemory-policy', 'noeviction');
    // The state after a kill behind the first batch, which waits in the outbox.
    const file = createLedgerFile(ledger.data, 'ledger.sqlite');
    await file.editBatches(async (editor) => {
      for await (const cells of editor.eraseNames({ dimension: 'org', values: ['a.example'] }, systemClock)) {
        if (cells > 0) return;
      }
    }, 1_000_000);
    expect((await ledger.care(redis.server.url).check()).notes).toEqual([
      expect.stringContaining('erase was broken off for one name'),
      expect.stringContaining('1 batch is not'),
    ]);
    await ledger.care(redis.server.url).erase({ org: 'a.example' });
    expect(JSON.stringify(await readState(link))).not.toContain('a.example');
    expect(filesWith('a.example')).toEqual([]);
    const nobodys = first.map(({ dimensions: { org, ...rest }, ...one }) => ({
      ...one,
      dimensions: org === 'a.example' ? rest : { org: String(org), ...rest },
    }));
    await expectHeld(...nobodys);
  });
});
