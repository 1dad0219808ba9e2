import { beforeEach, describe, expect, test } from 'vitest';
import { limits, systemClock } from '../../base/index.ts';
import { parseDay, type Increment, type UsageQuery } from '../../usage/index.ts';
import { suiteRedis } from '../../../test/support/redis-suite.ts';
import { eventually } from '../../../test/support/redis.ts';
import { foreignDaysKey, importKey, indexKey, numbersKey, ownDayKey, ownDaysKey, waveHash } from '../layout.ts';
import type { RedisCommand, RedisLink } from '../../redis-link/index.ts';
import { createRedisTotals } from '../read/index.ts';
import { listOf, textOf } from '../reply.ts';
import { fill, waveCommands } from '../read/testing/fill.ts';
import { silent as log } from '../testing/redis-store.ts';
import type { WaveImportProgress } from '../../store/index.ts';
import { importWave } from './import.ts';
import { importWaveFrom } from './open.ts';

const clock = systemClock;
const day = (text: string): number => parseDay(text) ?? Number.NaN;
const today = day('2026-11-21');
const byOrg = {
  meter: 'pulls',
  window: 'total',
  by: ['org'],
  where: {},
  limit: 10_000,
  offset: 0,
} satisfies UsageQuery;

const redis = suiteRedis({ appendOnly: true });
let link: RedisLink;
beforeEach(async () => void ({ link } = await redis.freshLink()));

function event(date: string, dimensions: Increment['dimensions'], meter = 'pulls'): Increment {
  return { meter, day: day(date), quantity: 1n, dimensions };
}

/** `count` events, each of its own organisation, over a few hundred days. Each has seven fields, one of them shared. */
function manyEvents(count: number): readonly Increment[] {
  return Array.from({ length: count }, (_, index) => ({
    meter: 'pulls',
    day: day('2025-01-01') + (index % 300),
    quantity: 1n,
    dimensions: { org: `org${index}.com`, arch: 'amd64' },
  }));
}

async function members(key: string): Promise<readonly string[]> {
  return listOf(await link.send({ key, args: ['SMEMBERS', key] }))
    .map(textOf)
    .toSorted();
}

/** A link that fails after `limit` pipelines. */
function breaking(limit: number): RedisLink {
  let calls = 0;
  return {
    ...link,
    send: (command: RedisCommand) => link.send(command),
    script: (...call: Parameters<RedisLink['script']>) => link.script(...call),
    pipeline(commands: readonly RedisCommand[]) {
      if (++calls > limit) throw new Error('cut off');
      return link.pipeline(commands);
    },
  };
}

describe('an import finds', () => {
  test('the names and days of each meter, and does not move counts', async () => {
    await link.pipeline([
      ...waveCommands(event('2024-05-29', { org: 'a.org', arch: 'amd64' })),
      ...waveCommands(event('2024-05-30', { org: 'B.org' })),
      ...waveCommands(event('2024-05-31', { arch: 'arm64' }, 'scans')),
    ]);
    const before = await link.send({ args: ['HGETALL', waveHash] });
    expect(await importWave({ link, clock })).toEqual({
      scanned: 13,
      resumed: false,
      skipped: 0,
      skippedNames: [],
      meters: [
        { meter: 'pulls', organisations: 2, architectures: 1, days: 2, first: '2024-05-29', last: '2024-05-30' },
        { meter: 'scans', organisations: 0, architectures: 1, days: 1, first: '2024-05-31', last: '2024-05-31' },
      ],
    });
    expect(await members(indexKey('pulls', 'orgs'))).toEqual(['B.org', 'a.org']);
    expect(await members(indexKey('pulls', 'archs'))).toEqual(['amd64']);
    expect(await members(indexKey('pulls', 'days'))).toEqual(['2024-05-29', '2024-05-30']);
    expect(await members(foreignDaysKey('scans'))).toEqual(['2024-05-31']);
    expect(await link.send({ args: ['HGETALL', waveHash] })).toEqual(before);
  });

  test('fields that it cannot parse, counts them and names the first few', async () => {
    const odd = ['pulls', 'pulls/o/x/y', 'other/o/a.org', 'pulls/d/2024-99-99', 'pulls/o/a.org/d/x'];
    const more = Array.from({ length: 20 }, (_, index) => `pulls/o/x/${index}`);
    await link.send({
      args: ['HSET', waveHash, 'pulls/o/a.org', '1', ...[...odd, ...more].flatMap((one) => [one, '1'])],
    });
    const { skipped, skippedNames } = await importWave({ link, clock });
    expect(skipped).toBe(25);
    expect(skippedNames).toHaveLength(limits.waveSkippedNamedMax);
    expect([...odd, ...more]).toEqual(expect.arrayContaining([...skippedNames]));
  });

  test('nothing if Wave has never counted', async () => {
    expect(await importWave({ link, clock })).toMatchObject({ scanned: 0, meters: [] });
  });
});

describe('an interrupted import', () => {
  test.each([1, 2, 3, 4, 5, 8])('is resumed after %i steps, and finds the same', async (steps) => {
    await fillWave(manyEvents(1_000));
    await expect(importWave({ link: breaking(steps), clock })).rejects.toThrow('cut off');
    const progress: WaveImportProgress[] = [];
    const again = await importWave({ link, clock, onProgress: (step) => progress.push(step) });
    expect(again.resumed).toBe(steps >= 3);
    expect(await members(indexKey('pulls', 'orgs'))).toHaveLength(1_000);
    expect(await members(foreignDaysKey('pulls'))).toHaveLength(300);
    expect(again.scanned).toBeGreaterThanOrEqual(1_000 * 4 + 300 * 2 + 1);
    expect(progress.at(-1)).toMatchObject({ scanned: again.scanned });
    expect((await importWave({ link, clock })).resumed).toBe(false);
  });

  test('starts again if Redis was restarted, because its cursors changed', async () => {
    await fillWave(manyEvents(1_000));
    await expect(importWave({ link: breaking(6), clock })).rejects.toThrow('cut off');
    await redis.server.kill();
    await redis.server.restart();
    await eventually('the link is connected', () => link.status.connected);
    expect((await importWave({ link, clock })).resumed).toBe(false);
    expect(await members(indexKey('pulls', 'orgs'))).toHaveLength(1_000);
  });
});

describe('days', () => {
  const own = (date: string, quantity: bigint) => ({ ...event(date, { org: 'a.org' }), by: 'one', quantity });

  test('with counts of ledgers only are not foreign, days with counts of Wave are', async () => {
    await fill(link, [own('2026-11-19', 3n), own('2026-11-20', 3n), { ...own('2026-11-20', 2n), by: 'two' }]);
    await link.pipeline(waveCommands(event('2026-11-19', { org: 'b.org' })));
    await importWave({ link, clock });
    expect(await members(foreignDaysKey('pulls'))).toEqual(['2026-11-19']);
    expect(await createRedisTotals({ link, clock }).query(byOrg, today)).toMatchObject({
      rows: [
        { dimensions: { org: 'a.org' }, value: 8n },
        { dimensions: { org: 'b.org' }, value: 1n },
      ],
    });
  });

  test('with a sum beyond the exact range of Lua stay foreign, and are read exactly', async () => {
    await fill(link, [own('2026-11-19', 2n ** 60n)]);
    await importWave({ link, clock });
    expect(await members(foreignDaysKey('pulls'))).toEqual(['2026-11-19']);
    expect((await createRedisTotals({ link, clock }).query(byOrg, today)).total).toBe(2n ** 60n);
  });

  test('are exact while both write', async () => {
    let step = 0;
    const raise = async () => {
      step += 1;
      await link.pipeline([
        ...waveCommands(event(step % 2 === 0 ? '2026-11-20' : '2026-11-19', { org: 'a.org' })),
        ...(step % 2 === 0 ? ownCommands('2026-11-20') : []),
      ]);
    };
    await fillWave(manyEvents(2_000));
    const { meters } = await importWave({ link, clock, onProgress: () => void raise() });
    await importWave({ link, clock });
    expect(meters[0]?.days).toBeGreaterThanOrEqual(301);
    expect(await members(foreignDaysKey('pulls'))).toContain('2026-11-19');
    expect(await members(foreignDaysKey('pulls'))).not.toContain('2026-11-20');
  });

  /** What a ledger writes for one event of a.org, next to the fields of Wave's hash. */
  function ownCommands(date: string): readonly RedisCommand[] {
    return [
      { args: ['HSET', numbersKey, 'one', '1'] },
      { args: ['SADD', ownDaysKey('one', 'pulls'), date] },
      { args: ['HINCRBY', ownDayKey('one', 'pulls', day(date)), '["a.org",null]', '1'] },
    ];
  }
});

describe('a hash that is too large for a scan by Wave', () => {
  test('of 30,500 fields: Wave finds some of the 500 organisations, Tonnage all', async () => {
    const organisations = Array.from({ length: 500 }, (_, index) => `org${index}.com`);
    const totals = organisations.map((org) => `pulls/o/${org}`);
    const days = organisations.flatMap((org) =>
      Array.from({ length: 60 }, (_, at) => `pulls/o/${org}/d/2024-0${1 + (at % 6)}-${10 + Math.floor(at / 6)}`),
    );
    await link.send({ args: ['HSET', waveHash, ...[...totals, ...days].flatMap((field) => [field, '1'])] });
    expect(await link.send({ args: ['HLEN', waveHash] })).toBe(30_500);
    const reply = await link.send({ args: ['HSCAN', waveHash, '0', 'MATCH', 'pulls/o/*', 'COUNT', '10000'] });
    const seen = JSON.stringify(reply);
    expect(totals.filter((field) => seen.includes(`"${field}"`)).length).toBeLessThan(250);

    await importWave({ link, clock });
    const answer = await createRedisTotals({ link, clock }).query({ ...byOrg, allTime: true }, today);
    expect(answer.rows.map(({ dimensions }) => dimensions.org)).toEqual(organisations.toSorted());
    expect(answer.total).toBe(500n);
  });
});

test('the state has the time of the import', async () => {
  await link.pipeline(waveCommands(event('2024-05-29', { org: 'a.org' })));
  await importWave({ link, clock: { ...clock, now: () => 1_234 } });
  expect(await link.send({ args: ['HGET', importKey, 'indexedAt'] })).toBe('1234');
});

describe('an import over its own link', () => {
  test('waits for a connection', async () => {
    await link.pipeline(waveCommands(event('2024-05-29', { org: 'a.org' })));
    const own = { mode: 'standalone', url: redis.server.url, clock, log } as const;
    expect(await importWaveFrom(own, { clock })).toMatchObject({ scanned: 3 });
  });

  test('rejects if there is no connection in time', async () => {
    let now = 0;
    const hasty = { ...clock, monotonic: () => (now += limits.redisConnectMsMax) };
    const away = { mode: 'standalone', url: 'redis://127.0.0.1:1', clock, log } as const;
    await expect(importWaveFrom(away, { clock: hasty })).rejects.toMatchObject({ code: 'redis_unavailable' });
  });
});

async function fillWave(events: readonly Increment[]): Promise<void> {
  await link.pipeline(events.flatMap(waveCommands));
}
