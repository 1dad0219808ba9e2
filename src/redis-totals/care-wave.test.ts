import { beforeEach, describe, expect, test } from 'vitest';
import { suiteRedis } from '../../test/support/redis-suite.ts';
import { eventually } from '../../test/support/redis.ts';
import { systemClock } from '../base/index.ts';
import type { Increment } from '../usage/index.ts';
import { pulls, remoteAt, TestLedger, today } from '../care/testing/ledger.ts';
import { importWave } from './import/index.ts';
import type { RedisLink } from '../redis-link/index.ts';
import { waveCommands } from './read/testing/fill.ts';

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
const own = [pulls(today, 3n, { org: 'a.example', arch: 'amd64', repository: 'x' })];
const wave = [
  pulls(today - 700, 10n, { org: 'w.example', arch: 'arm64' }),
  pulls(today - 40, 2n, { org: 'w.example' }),
  pulls(today - 40, 5n, { arch: 'amd64' }),
  { ...pulls(today, 4n, { org: 'a.example', arch: 'amd64' }), meter: 'fusion' },
];

async function waveCounts(...events: readonly Increment[]): Promise<void> {
  await link.pipeline(events.flatMap((event) => waveCommands(event)));
}

/** The answer of a ledger with its totals in its file that has counted `events` itself. */
async function answersOf(...events: readonly Increment[]): Promise<readonly unknown[]> {
  const fresh = freshLedger();
  await fresh.commit(undefined, events);
  return fresh.answers(undefined);
}

describe("migrate copies Wave's counts", () => {
  test('from a Redis without any import', async () => {
    await waveCounts(...wave);
    await ledger.commit(redis.server.url, own);
    const { taken, notes } = await ledger.care(redis.server.url).migrate(undefined);
    expect({ taken: taken.counts, notes }).toEqual({ taken: 21n, notes: [] });
    expect(await ledger.answers(undefined)).toEqual(await answersOf(...wave, ...own));
    expect(await ledger.care().check()).toEqual(noFindings);
  });

  test('with names that are newer than the last import', async () => {
    await waveCounts(...wave);
    await importWave({ link, clock: systemClock });
    await ledger.commit(redis.server.url, own);
    const later = [
      pulls(today - 1, 6n, { org: 'new.example', arch: 's390x' }),
      pulls(today, 7n, { org: 'new.example' }),
    ];
    await waveCounts(...later);
    await ledger.care(redis.server.url).migrate(undefined);
    expect(await ledger.answers(undefined)).toEqual(await answersOf(...wave, ...later, ...own));
  });

  test('to another Redis, once, even if that is a copy of the first one', async () => {
    await waveCounts(...wave);
    await ledger.commit(redis.server.url, own);
    await another.server.cli('replicaof', '127.0.0.1', String(redis.server.port));
    await eventually('the copy is complete', async () => (await another.server.cli('role')).includes('connected'));
    await another.server.cli('replicaof', 'no', 'one');
    await ledger.care(redis.server.url).migrate(remoteAt(another.server.url));
    expect(await ledger.answers(another.server.url)).toEqual(await answersOf(...wave, ...own));

    await another.server.cli('flushall');
    const empty = freshLedger();
    await empty.commit(redis.server.url, [pulls(today, 1n, { org: 'b.example' })]);
    await empty.care(redis.server.url).migrate(remoteAt(another.server.url));
    expect(await empty.answers(another.server.url)).toEqual(
      await answersOf(...wave, pulls(today, 1n, { org: 'b.example' })),
    );
  });

  test.each(['migrate', 'rebuild'] as const)('if %s moves a ledger to a Redis that has them', async (command) => {
    await waveCounts(...wave);
    await ledger.commit(undefined, own);
    if (command === 'migrate') await ledger.care().migrate(remoteAt(redis.server.url));
    else await ledger.care(redis.server.url).rebuild();
    expect(await ledger.answers(redis.server.url)).toEqual(await answersOf(...wave, ...own));
  });
});

describe("migrate reports Wave's counts that it cannot copy", () => {
  test("counts without a day, by organisation and by architecture, and fields that are not Wave's", async () => {
    await waveCounts(...wave);
    await ledger.commit(redis.server.url, own);
    await freshLedger().commit(redis.server.url, [pulls(today, 8n, { org: 'o.example', arch: 'ppc64le' })]);
    for (const field of ['pulls/o/old.example', 'pulls/a/amd64', 'pulls/o/with/slash/d/2026-01-01']) {
      await redis.server.cli('hincrby', 'metrics/v1', field, '9');
    }
    const notes = [
      expect.stringMatching(/^Redis: 1 field of metrics\/v1 has no name .* tonnage wave import names/),
      'pulls: Redis has counts of all time of 1 organisation and 1 architecture that belong to no day; they stay there',
    ];
    const others = 'pulls: what other ledgers have counted stays where it is: migrate each of them';
    const toRedis = await ledger.care(redis.server.url).migrate(remoteAt(another.server.url));
    expect(toRedis.notes).toEqual([notes[0], others, notes[1]]);
    const again = freshLedger();
    await again.commit(redis.server.url, own);
    expect((await again.care(redis.server.url).migrate(undefined)).notes).toEqual(notes);
  });

  test('counts that Wave adds after the migration', async () => {
    await waveCounts(...wave);
    await ledger.commit(redis.server.url, own);
    const care = ledger.care(redis.server.url, { besideWave: true });
    expect((await care.migrate(undefined)).notes).toEqual([
      'Wave may still be counting into Redis (store.besideWave): what it counts from now on stays there',
    ]);
    expect((await care.migrate(undefined)).notes).toEqual([
      expect.stringContaining('counts that Wave or other ledgers added since then stay there'),
    ]);
  });
});
