import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { suiteRedis } from '../../test/support/redis-suite.ts';
import { eventually } from '../../test/support/redis.ts';
import { systemClock } from '../base/index.ts';
import { TestLedger } from '../care/testing/ledger.ts';
import { openTestRedisStore } from '../redis-totals/testing/redis-store.ts';
import type { Store } from '../store/index.ts';
import { parseUsageQuery, type LedgerEvent } from '../usage/index.ts';
import type { Ledger } from './index.ts';
import { openTestLedger } from './testing/fixture.ts';

const redis = suiteRedis();
let ledger: Ledger | undefined;
let store: Store | undefined;

afterEach(close);

async function close(): Promise<void> {
  await ledger?.close(10_000);
  await store?.close();
  ledger = store = undefined;
}

async function open(file: string): Promise<Ledger> {
  const shared = (store = await openTestRedisStore(redis.server.url, file, { shared: true }));
  const opened = (ledger = await openTestLedger(shared));
  await eventually('events are taken', () => opened.status().claiming?.isReady === true);
  return opened;
}

function event(id: string, org: string): LedgerEvent {
  const identity = { source: '/ci', id, time: systemClock.now() };
  return { kind: 'usage', meter: 'builds', dimensions: { org }, quantity: 1n, ...identity };
}

function voidOf(target: string): LedgerEvent {
  const identity = { source: '/ci', id: `void of ${target}`, time: systemClock.now() };
  return { kind: 'void', ...identity, target: { source: '/ci', id: target } };
}

/** Sends events and waits until each is claimed. */
async function send(to: Ledger, ...events: readonly LedgerEvent[]): Promise<void> {
  await to.ingest(events);
  await eventually('nothing waits to be claimed', () => to.status().claiming?.events === 0);
}

/** The total of each organisation once all batches are delivered. */
async function totals(of: Ledger): Promise<Readonly<Record<string, bigint>>> {
  await eventually('all is delivered', () => of.status().delivery?.waiting === 0);
  const { rows } = await of.query(parseUsageQuery('builds', { by: 'org' }));
  return Object.fromEntries(rows.map(({ dimensions, value }) => [dimensions.org ?? '', value]));
}

test('events that a set-back ledger has lost count when they are sent again, and their voids take nothing back', async () => {
  const place = new TestLedger(mkdtempSync(join(redis.directory, 'ledger-')));
  await send(await open(place.file), event('a 1', 'a.example'), event('a 2', 'a.example'));
  await close();
  const copy = join(place.data, 'copy');
  copyFileSync(place.file, copy);
  const lost = await open(place.file);
  for (const id of ['b 1', 'b 2', 'b 3', 'b 4']) await send(lost, event(id, 'b.example'));
  await close();

  for (const side of ['-wal', '-shm']) rmSync(`${place.file}${side}`, { force: true });
  copyFileSync(copy, place.file);
  const setBack = await open(place.file);
  await eventually('the gap is known', () => setBack.status().delivery?.gap !== undefined);
  // New events take the places of the lost ones.
  await send(setBack, event('c 1', 'c.example'), voidOf('b 1'));
  await send(setBack, event('b 2', 'b.example'));
  await send(setBack, voidOf('a 1'));
  await close();
  await place.care(redis.server.url).rebuild();
  const rebuilt = await open(place.file);
  expect(await totals(rebuilt)).toEqual({ 'a.example': 1n, 'b.example': 1n, 'c.example': 1n });

  await send(rebuilt, event('b 1', 'b.example'), event('b 3', 'b.example'), event('b 2', 'b.example'));
  expect(await totals(rebuilt)).toEqual({ 'a.example': 1n, 'b.example': 2n, 'c.example': 1n });
  await send(rebuilt, voidOf('b 2'), voidOf('b 3'), voidOf('b 4'));
  expect(await totals(rebuilt)).toEqual({ 'a.example': 1n, 'c.example': 1n });
});
