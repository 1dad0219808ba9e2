import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../base/index.ts';
import { parseUsageQuery, type UsageEvent } from '../usage/index.ts';
import type { Ledger, LedgerOptions } from './index.ts';
import { openTestLedger, ownStore } from './testing/fixture.ts';

const now = Date.parse('2026-11-21T12:00:00Z');
const clock = { now: () => now, monotonic: () => systemClock.monotonic() };
const own = ownStore({ clock });
const open: Ledger[] = [];
afterEach(async () => {
  for (const ledger of open.splice(0)) await ledger.close(5_000);
});

async function openLimited(options: Partial<LedgerOptions> = {}): Promise<Ledger> {
  const dayMaxOf = (meter: string) => (meter === 'builds' ? 1_000 : 5_000);
  const ledger = await openTestLedger(own.store, { clock, dimensions: ['org', 'arch'], dayMaxOf, ...options });
  open.push(ledger);
  return ledger;
}

let ids = 0;
function event(org: string | undefined, quantity: number, overrides: Partial<UsageEvent> = {}): UsageEvent {
  const dimensions = { ...(org !== undefined && { org }), arch: quantity % 2 === 0 ? 'amd64' : 'arm64' };
  const tenant = org !== undefined && { tenant: org };
  const id = String(ids++);
  const identity = { kind: 'usage', source: 'ci', id, meter: 'builds', time: now } as const;
  return { ...identity, ...tenant, quantity: BigInt(quantity), dimensions, ...overrides };
}

/** The same event, sent with credentials that belong to no organisation. */
function stated(org: string | undefined, quantity: number): UsageEvent {
  const { tenant: _, ...rest } = event(org, quantity);
  return rest;
}

async function statuses(ledger: Ledger, events: readonly UsageEvent[]): Promise<readonly string[]> {
  return (await ledger.ingest(events)).map((result) => (result.status === 'refused' ? result.reason : result.status));
}

test('an event that exceeds the limit of its organisation for one day is refused, with the reason', async () => {
  const ledger = await openLimited();
  expect(await statuses(ledger, [event('a.org', 600), event('a.org', 399), event('a.org', 1)])).toEqual([
    'accepted',
    'accepted',
    'accepted',
  ]);
  expect(await ledger.ingest([event('a.org', 2)])).toEqual([
    {
      status: 'refused',
      reason: 'day_limit',
      message:
        'data: expected at most 1000 of builds on one day for a.org (1000 times usage.quantityMax), got 2 in addition to the sum of the day',
    },
  ]);
  const others = [
    event('b.org', 1_000),
    event('a.org', 5_000, { meter: 'scans' }),
    event('a.org', 1_000, { time: now - 86_400_000 }),
  ];
  expect(await statuses(ledger, others)).toEqual(['accepted', 'accepted', 'accepted']);
});

test.each([
  ['an organisation', 'a.org'],
  ['no organisation', undefined],
])('unbound credentials have their own limit for %s', async (_, org) => {
  const ledger = await openLimited();
  expect(await statuses(ledger, [stated(org, 1_000), stated(org, 1), stated('b.org', 1_000)])).toEqual([
    'accepted',
    'day_limit',
    'accepted',
  ]);
  expect(await statuses(ledger, [event('a.org', 1_000), event('b.org', 1)])).toEqual(['accepted', 'accepted']);

  await open.pop()?.close(5_000);
  await own.reopen();
  const again = await openLimited();
  expect(await statuses(again, [event('a.org', 1), stated(org, 1), event('b.org', 999)])).toEqual([
    'day_limit',
    'day_limit',
    'accepted',
  ]);
});

test('events that an administrator sends for another organisation do not use up its limit', async () => {
  const ledger = await openLimited();
  const foreign = event('a.org', 1_000, { tenant: 'admins.org' });
  expect(await statuses(ledger, [foreign, event('a.org', 1_000)])).toEqual(['accepted', 'accepted']);
});

test('pulls count towards the limit of the organisation, and are never refused', async () => {
  const ledger = await openLimited();
  await ledger.record([{ meter: 'builds', dimensions: { org: 'a.org' }, quantity: 1_500n }]);
  expect(await statuses(ledger, [event('a.org', 1)])).toEqual(['day_limit']);
  await ledger.record([{ meter: 'builds', dimensions: { org: 'a.org' }, quantity: 1n }]);
  expect((await ledger.query(parseUsageQuery('builds', {}))).total).toBe(1_501n);
});

test('if organisations are not kept there is no limit, since one of them would use it up for all', async () => {
  const ledger = await openLimited({ dimensions: ['arch'] });
  expect(await statuses(ledger, [event('a.org', 1_000), event('b.org', 1_000)])).toEqual(['accepted', 'accepted']);
});
