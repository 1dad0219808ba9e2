import { afterEach, beforeEach, expect, test } from 'vitest';
import { limits, systemClock, type Clock } from '../base/index.ts';
import { MetricSet } from '../metric/index.ts';
import type { Journal } from '../store/index.ts';
import { parseUsageQuery, type LedgerEvent, type UsageEvent } from '../usage/index.ts';
import type { Ledger, LedgerOptions } from './index.ts';
import { openTestLedger, ownStore, valuesOf } from './testing/fixture.ts';

const noon = Date.parse('2026-11-21T12:00:00Z');
const dayMs = 86_400_000;

let metrics: MetricSet;
let now = noon;
const clock: Clock = { now: () => now, monotonic: () => systemClock.monotonic() };
const open: Ledger[] = [];

beforeEach(() => void (now = noon));
const own = ownStore({ timeZone: 'Europe/Berlin', clock });
afterEach(async () => {
  for (const ledger of open.splice(0)) await ledger.close(5_000).catch(() => undefined);
});

async function openOver(journal: Journal, options: Partial<LedgerOptions> = {}): Promise<Ledger> {
  metrics = new MetricSet();
  const ledger = await openTestLedger(
    { ...own.store, journal },
    { clock, metrics, dimensions: ['org', 'arch', 'repository'], ...options },
  );
  open.push(ledger);
  return ledger;
}

function event(id: string, overrides: Partial<UsageEvent> = {}): UsageEvent {
  const dimensions = { org: 'a.org', arch: 'amd64' };
  return { kind: 'usage', source: 'ci', id, meter: 'builds', time: now, quantity: 1n, dimensions, ...overrides };
}

const takesBack = (id: string, target: string): LedgerEvent => ({
  kind: 'void',
  source: 'ci',
  id,
  time: now,
  target: { source: 'ci', id: target },
});

async function statuses(ledger: Ledger, events: readonly LedgerEvent[]): Promise<readonly string[]> {
  return (await ledger.ingest(events)).map((result) => (result.status === 'refused' ? result.reason : result.status));
}

async function total(ledger: Ledger): Promise<bigint> {
  return (await ledger.query(parseUsageQuery('builds', { from: '2026-01-01' }))).total;
}

const sample = (name: string, labels = '') => valuesOf(metrics, name).get(labels);

test('each event counts once, on the day of its time in the zone of the ledger', async () => {
  const ledger = await openOver(own.store.journal);
  const late = event('late', { time: Date.parse('2026-11-19T23:30:00Z') });
  expect(await statuses(ledger, [event('1'), event('1'), late])).toEqual(['accepted', 'duplicate', 'accepted']);
  expect(await statuses(ledger, [late, event('2', { quantity: 41n })])).toEqual(['duplicate', 'accepted']);
  const { rows } = await ledger.query(parseUsageQuery('builds', { by: 'day' }));
  expect(rows.map(({ from, value }) => [(from ?? 0) - 20_778, value])).toEqual([
    [-1, 1n],
    [0, 42n],
  ]);
  expect(sample('tonnage_usage', 'meter="builds",org="a.org",arch="amd64"')).toBe(43n);
  expect(sample('tonnage_ledger_duplicate_events')).toBe(2);
});

test('the same id of another tenant or source is another event', async () => {
  const ledger = await openOver(own.store.journal);
  const events = [event('1'), event('1', { tenant: 'a.org' }), event('1', { source: 'other' })];
  expect(await statuses(ledger, events)).toEqual(['accepted', 'accepted', 'accepted']);
});

test('an event outside the window is refused, alone, with the expected and the actual time', async () => {
  const ledger = await openOver(own.store.journal);
  const results = await ledger.ingest([
    event('old', { time: now - 35 * dayMs - 1 }),
    event('oldest', { time: now - 35 * dayMs }),
    event('ahead', { time: now + limits.eventAheadMsMax + 1 }),
    event('soon', { time: now + limits.eventAheadMsMax }),
  ]);
  expect(results).toEqual([
    {
      status: 'refused',
      reason: 'too_old',
      message: 'expected a time within the last 35 days, got 2026-10-17T11:59:59.999Z',
    },
    { status: 'accepted' },
    {
      status: 'refused',
      reason: 'in_future',
      message: 'expected a time at most 60 minutes ahead of 2026-11-21T12:00:00.000Z, got 2026-11-21T13:00:00.001Z',
    },
    { status: 'accepted' },
  ]);
  expect(sample('tonnage_ledger_refused_events', 'reason="too_old"')).toBe(1);
});

test('an event is recognised within the window, and refused after it', async () => {
  const ledger = await openOver(own.store.journal, { dedupeDays: 2 });
  const first = event('1');
  await ledger.ingest([first]);
  now += 2 * dayMs;
  expect(await statuses(ledger, [first])).toEqual(['duplicate']);
  now += 1;
  expect(await statuses(ledger, [first])).toEqual(['too_old']);
});

test('a void lowers totals, and raises its own counter', async () => {
  const ledger = await openOver(own.store.journal);
  await ledger.ingest([event('1', { quantity: 5n }), event('2')]);
  expect(await statuses(ledger, [takesBack('v1', '1'), takesBack('v2', '1'), takesBack('v3', 'v1')])).toEqual([
    'accepted',
    'duplicate',
    'not_voidable',
  ]);
  expect(await total(ledger)).toBe(1n);
  expect(sample('tonnage_usage', 'meter="builds",org="a.org",arch="amd64"')).toBe(6n);
  expect(sample('tonnage_usage_voided', 'meter="builds",org="a.org",arch="amd64"')).toBe(5n);
  await ledger.close(5_000);
  await own.reopen();
  await openOver(own.store.journal);
  expect(sample('tonnage_usage_voided', 'meter="builds",org="a.org",arch="amd64"')).toBe(5n);
});

test('a failed commit rejects its events at once, and they count once when they are sent again', async () => {
  let broken = true;
  const ledger = await openOver({
    ...own.store.journal,
    commit: (batch) => (broken ? Promise.reject(new Error('disk full')) : own.store.journal.commit(batch)),
  });
  const sent = [event('1'), event('2')];
  const pull = ledger.record([{ meter: 'pulls', dimensions: {}, quantity: 1n }]);
  await expect(ledger.ingest(sent)).rejects.toMatchObject({ code: 'ledger_unavailable', message: 'disk full' });
  await expect(ledger.ingest(sent)).rejects.toMatchObject({
    code: 'ledger_unavailable',
    message: 'the ledger cannot commit right now: disk full',
  });
  broken = false;
  await pull;
  expect(await statuses(ledger, sent)).toEqual(['accepted', 'accepted']);
  expect(await total(ledger)).toBe(2n);
});

test('if a commit was stored and its answer lost, its events are duplicates and the counters are right', async () => {
  let lose = true;
  const ledger = await openOver({
    ...own.store.journal,
    async commit(batch) {
      const committed = await own.store.journal.commit(batch);
      if (!lose) return committed;
      lose = false;
      throw new Error('the answer got lost');
    },
  });
  const sent = [event('1', { quantity: 3n }), event('2')];
  await expect(ledger.ingest(sent)).rejects.toMatchObject({ code: 'ledger_unavailable' });
  // Once this pull is counted, the attempt without the events has succeeded.
  await ledger.record([{ meter: 'pulls', dimensions: {}, quantity: 1n }]);
  expect(await statuses(ledger, [...sent, event('3')])).toEqual(['duplicate', 'duplicate', 'accepted']);
  expect(await total(ledger)).toBe(5n);
  expect(sample('tonnage_usage', 'meter="builds",org="a.org",arch="amd64"')).toBe(5n);
});

test('the caps of their own day apply to late events, even after a restart', async () => {
  const yesterday = now - dayMs;
  const of = (from: number, count: number, time: number): UsageEvent[] =>
    Array.from({ length: count }, (_, index) => {
      const dimensions = { org: 'a.org', arch: `arch${from + index}` };
      return event(`${time} ${from + index}`, { time, dimensions });
    });
  const ledger = await openOver(own.store.journal);
  await ledger.ingest(of(0, limits.architecturesPerDayMax, yesterday));
  await ledger.ingest(of(1_000, 3, now));
  await ledger.ingest(of(2_000, 2, yesterday));
  await ledger.close(5_000);
  await own.reopen();
  const again = await openOver(own.store.journal);
  await again.ingest(of(3_000, 4, yesterday));
  const { rows } = await again.query(parseUsageQuery('builds', { by: 'day,arch' }));
  const folded = rows.filter(({ dimensions }) => dimensions.arch === '__other__');
  expect(folded.map(({ from, value }) => [(from ?? 0) - 20_778, value])).toEqual([[-1, 6n]]);
});

test('events of more than 31 days do not reset the caps of today', async () => {
  const ledger = await openOver(own.store.journal, { dedupeDays: 100, detailDays: 100 });
  const pulls = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => {
      return { meter: 'builds', dimensions: { arch: `arch${from + index}` }, quantity: 1n };
    });
  await ledger.record(pulls(0, limits.architecturesPerDayMax));
  await ledger.ingest(Array.from({ length: 99 }, (_, index) => event(`${index}`, { time: now - (index + 1) * dayMs })));
  await ledger.record(pulls(1_000, 1_005));
  const { rows } = await ledger.query(parseUsageQuery('builds', { from: '2026-11-21', by: 'arch' }));
  expect(rows).toHaveLength(limits.architecturesPerDayMax + 1);
  expect(rows[0]).toMatchObject({ dimensions: { arch: '__other__' }, value: 5n });
});

test('with too many waiting events, further events are refused and pulls continue', async () => {
  let release: (() => void) | undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const ledger = await openOver({
    ...own.store.journal,
    commit: (batch) => held.then(() => own.store.journal.commit(batch)),
  });
  const size = 20_000;
  const waiting: Promise<unknown>[] = [];
  for (let from = 0; from < limits.waitingEventsMax; from += size) {
    waiting.push(
      ledger.ingest(Array.from({ length: size }, (_, index) => event(`${from + index}`))).catch(() => 'late'),
    );
  }
  await expect(ledger.ingest([event('one more')])).rejects.toMatchObject({
    code: 'ledger_unavailable',
    message: `${limits.waitingEventsMax} events wait for their commit, at most ${limits.waitingEventsMax} may: send these events again later`,
  });
  const pull = ledger.record([{ meter: 'pulls', dimensions: {}, quantity: 1n }]);
  release?.();
  await Promise.all([...waiting, pull]);
  expect((await ledger.query(parseUsageQuery('pulls', {}))).total).toBe(1n);
  expect(await total(ledger)).toBe(BigInt(limits.waitingEventsMax));
});

test('backfilled increments are in the totals, but not in the counters', async () => {
  const ledger = await openOver(own.store.journal);
  await ledger.ingest([event('1')]);
  const dimensions = { org: 'a.org', arch: 'amd64' };
  await ledger.backfill([{ meter: 'builds', day: 20_600, quantity: 1_000n, dimensions }]);
  expect(await total(ledger)).toBe(1_001n);
  expect(sample('tonnage_usage', 'meter="builds",org="a.org",arch="amd64"')).toBe(1n);
});
