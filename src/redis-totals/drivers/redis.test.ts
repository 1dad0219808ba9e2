import { afterEach, describe, expect, test } from 'vitest';
import { systemClock, type Clock } from '../../base/index.ts';
import { suiteRedis } from '../../../test/support/redis-suite.ts';
import { scaled } from '../../../test/support/long.ts';
import { parseDay, waveMeters, type Increment } from '../../usage/index.ts';
import { storeConformance } from '../../store/conformance.ts';
import type { Store } from '../../store/index.ts';
import { delivered } from '../../store/testing/delivered.ts';
import { openTestRedisStore, untilDelivering, untilReadable, type TestStoreOptions } from '../testing/redis-store.ts';

const dayMs = 86_400_000;
/** The day of the contract's suite, at noon, so that retention does not depend on the day of the test run. */
const today = parseDay('2026-11-21') ?? Number.NaN;
const clock: Clock = { ...systemClock, now: () => (today + 0.5) * dayMs };

const redis = suiteRedis();
const open = new Set<Store>();

afterEach(async () => {
  for (const store of open) await store.close();
  open.clear();
});

async function openStore(file: string, overrides: TestStoreOptions = {}): Promise<Store> {
  const store = await openTestRedisStore(redis.server.url, file, { clock, ...overrides });
  open.add(store);
  await Promise.all([untilDelivering(store), untilReadable(store)]);
  return store;
}

describe('the store contract, with totals in Redis', () => {
  storeConformance(
    {
      async open() {
        await redis.server.cli('flushall');
        const file = redis.newPath();
        return { store: await openStore(file), reopen: () => openStore(file) };
      },
    },
    scaled(80, 3_000),
  );
});

describe("in Wave's layout", () => {
  const day = parseDay('2026-11-20') ?? Number.NaN;

  test("six events of each meter make exactly Wave's fields and values", async () => {
    await redis.server.cli('flushall');
    const store = await openStore(redis.newPath());
    const events: readonly Increment['dimensions'][] = [
      { org: 'org1.com', arch: 'amd64' },
      { org: 'org1.com', arch: 'arm64' },
      { org: 'org2.com', arch: 'arm64' },
      {},
      { arch: 'arm64' },
      { org: 'org2.com' },
    ];
    const increments = waveMeters.flatMap((meter) =>
      events.map((dimensions): Increment => ({ meter, day, quantity: 1n, dimensions })),
    );
    await store.journal.commit({ number: 1, at: 0, increments });
    await delivered(store);
    const lines = (await redis.server.cli('hgetall', 'metrics/v1')).trim().split('\n');
    const fields = new Map<string, string>();
    for (let index = 0; index < lines.length; index += 2) fields.set(lines[index] ?? '', lines[index + 1] ?? '');
    const expected = waveMeters.flatMap((meter) =>
      Object.entries({
        'd/2026-11-20': '6',
        'a/amd64': '1',
        'a/amd64/d/2026-11-20': '1',
        'a/arm64': '3',
        'a/arm64/d/2026-11-20': '3',
        'o/org1.com': '2',
        'o/org1.com/d/2026-11-20': '2',
        'o/org1.com/a/amd64': '1',
        'o/org1.com/a/amd64/d/2026-11-20': '1',
        'o/org1.com/a/arm64': '1',
        'o/org1.com/a/arm64/d/2026-11-20': '1',
        'o/org2.com': '2',
        'o/org2.com/d/2026-11-20': '2',
        'o/org2.com/a/arm64': '1',
        'o/org2.com/a/arm64/d/2026-11-20': '1',
      }).map(([field, value]) => [`${meter}/${field}`, value] as const),
    );
    expect(expected).toHaveLength(75);
    expect(fields).toEqual(new Map(expected));
  });

  test('expired details are dropped; their days stay', async () => {
    await redis.server.cli('flushall');
    const file = redis.newPath();
    const store = await openStore(file, { detailDays: 1 });
    const cells = [today - 1, today].map((on): Increment => ({
      meter: 'pulls',
      day: on,
      quantity: 2n,
      dimensions: { org: 'a.org', repository: 'x' },
    }));
    await store.journal.commit({ number: 1, at: 0, increments: cells });
    await delivered(store);
    const details = async (): Promise<readonly string[]> =>
      (await redis.server.cli('keys', '{tonnage/*')).split('\n').filter((key) => key.includes(':cells:'));
    expect(await details()).toHaveLength(2);
    // As tomorrow: the details of yesterday have expired then, because they are kept for one day.
    const tomorrow = { ...clock, now: () => clock.now() + dayMs };
    await store.close();
    open.delete(store);
    const later = await openStore(file, { detailDays: 1, clock: tomorrow });
    while (await later.remote?.forgetDetails(today));
    expect(await details()).toHaveLength(1);
    const query = { meter: 'pulls', window: 'total', by: [], where: {}, limit: 10, offset: 0 } as const;
    expect((await later.totals.query(query, today + 1)).total).toBe(4n);
  });
});
