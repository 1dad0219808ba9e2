import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock, systemRandom, type Log } from '../../base/index.ts';
import { eventually, startRedis, type RedisServer } from '../../../test/support/redis.ts';
import { scaled } from '../../../test/support/long.ts';
import { parseDay, waveMeters, type Increment } from '../../usage/index.ts';
import { storeConformance } from '../conformance.ts';
import type { Store } from '../contract.ts';
import { delivered } from '../testing/delivered.ts';
import { openRedisStore, type RedisStoreOptions } from './redis.ts';

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let directory: string;
let server: RedisServer;
let next = 0;
const open = new Set<Store>();

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-store-'));
  server = await startRedis(directory);
});
afterEach(async () => {
  for (const store of open) await store.close();
  open.clear();
});
afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function openStore(file: string, overrides: Partial<RedisStoreOptions> = {}): Promise<Store> {
  const store = await openRedisStore({
    file,
    timeZone: 'UTC',
    acceptTimeZone: false,
    clock: systemClock,
    random: systemRandom,
    log: silent,
    redis: { mode: 'standalone', url: server.url, clock: systemClock, log: silent },
    detailDays: 400,
    allowEviction: false,
    minReplicas: 0,
    besideWave: false,
    shared: false,
    ...overrides,
  });
  open.add(store);
  const { remote } = store;
  await eventually('Redis answers', async () => (await remote?.position().catch(() => undefined)) !== undefined);
  return store;
}

describe('the store contract, with totals in Redis', () => {
  storeConformance(
    {
      async open() {
        await server.cli('flushall');
        const file = join(directory, `ledger-${++next}.sqlite`);
        return { store: await openStore(file), reopen: () => openStore(file) };
      },
    },
    scaled(500, 10_000),
  );
});

describe('in the layout of Wave', () => {
  const day = parseDay('2026-11-20') ?? Number.NaN;

  test('six events of each meter leave exactly the fields and values that Wave leaves', async () => {
    await server.cli('flushall');
    const store = await openStore(join(directory, `ledger-${++next}.sqlite`));
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
    const lines = (await server.cli('hgetall', 'metrics/v1')).trim().split('\n');
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

  test('details whose time is over are dropped; their days stay', async () => {
    await server.cli('flushall');
    const store = await openStore(join(directory, `ledger-${++next}.sqlite`), { detailDays: 1 });
    const today = Math.floor(systemClock.now() / 86_400_000);
    const cells = [today - 1, today].map((on): Increment => ({
      meter: 'pulls',
      day: on,
      quantity: 2n,
      dimensions: { org: 'a.org', repository: 'x' },
    }));
    await store.journal.commit({ number: 1, at: 0, increments: cells });
    await delivered(store);
    const details = async (): Promise<readonly string[]> =>
      (await server.cli('keys', '{tonnage/*')).split('\n').filter((key) => key.includes(':cells:'));
    expect(await details()).toHaveLength(2);
    // As tomorrow, when yesterday is beyond the one day that is kept.
    const tomorrow = { ...systemClock, now: () => systemClock.now() + 86_400_000 };
    await store.close();
    open.delete(store);
    const later = await openStore(join(directory, `ledger-${next}.sqlite`), { detailDays: 1, clock: tomorrow });
    while (await later.remote?.forgetDetails(today));
    expect(await details()).toHaveLength(1);
    const query = { meter: 'pulls', window: 'total', by: [], where: {}, limit: 10, offset: 0 } as const;
    expect((await later.totals.query(query, today + 1)).total).toBe(4n);
  });
});
