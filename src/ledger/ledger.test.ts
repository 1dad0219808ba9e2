import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { limits, systemClock, type Clock, type Log } from '../base/index.ts';
import { MetricSet } from '../metric/index.ts';
import type { Batch, Journal } from '../store/index.ts';
import { parseUsageQuery } from '../usage/index.ts';
import type { Count, Ledger, LedgerOptions } from './index.ts';
import { Caps } from './caps.ts';
import { Cells } from './cells.ts';
import { PendingBatch } from './pending-batch.ts';
import { openTestLedger, ownStore, valuesOf } from './testing/fixture.ts';

const own = ownStore();
let metrics: MetricSet;
/** Called before each commit of the journal; may throw or delay it. */
let beforeCommit: (batch: Batch) => Promise<void>;
let batches: Batch[];

beforeEach(() => {
  metrics = new MetricSet();
  beforeCommit = () => Promise.resolve();
  batches = [];
});

/** A ledger over the real store, with a gate before each commit. */
function open(overrides: Partial<LedgerOptions> = {}): Promise<Ledger> {
  const { journal } = own.store;
  const gated: Journal = {
    ...journal,
    async commit(batch) {
      batches.push(batch);
      await beforeCommit(batch);
      return journal.commit(batch);
    },
  };
  return openTestLedger({ ...own.store, journal: gated }, { metrics, ...overrides });
}

const event = { tenant: '', source: 'test', id: '1', time: systemClock.now() };

/** A log that keeps its lines. */
function keptLog(): { log: Log; lines: { level: string; fields: object; text: string }[] } {
  const lines: { level: string; fields: object; text: string }[] = [];
  const at = (level: string) => (fields: object, text: string) => void lines.push({ level, fields, text });
  return { log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines };
}

const pull = (dimensions: Count['dimensions'] = {}, quantity = 1n): Count => ({ meter: 'pulls', dimensions, quantity });
const total = async (ledger: Ledger, meter = 'pulls'): Promise<bigint> =>
  (await ledger.query(parseUsageQuery(meter, {}))).total;

const samples = (name: string) => valuesOf(metrics, name);

function deferred(): { promise: Promise<void>; resolve: () => void } {
  return Promise.withResolvers<void>();
}

describe('record', () => {
  test('resolves only once the count is in the totals', async () => {
    const ledger = await open();
    await ledger.record([pull({ org: 'a.org', arch: 'amd64' })]);
    expect(await total(ledger)).toBe(1n);
    expect(ledger.status()).toEqual({ unsavedEvents: 0 });
  });

  test('a pull and its fusion event are one batch', async () => {
    const ledger = await open();
    await ledger.record([pull({ arch: 'amd64' }), { meter: 'fusion', dimensions: { arch: 'amd64' }, quantity: 1n }]);
    expect(batches.map(({ increments }) => increments.map(({ meter }) => meter))).toEqual([['pulls', 'fusion']]);
    expect(await total(ledger, 'fusion')).toBe(1n);
  });

  test('counts that arrive during a commit share the next one, summed by cell', async () => {
    const gate = deferred();
    beforeCommit = () => gate.promise;
    const ledger = await open();
    const first = ledger.record([pull({ org: 'a.org' })]);
    await new Promise((resolve) => setImmediate(resolve));
    const others = Array.from({ length: 1_000 }, (_, index) =>
      ledger.record([pull({ org: index % 2 ? 'a.org' : 'b.org' })]),
    );
    gate.resolve();
    await Promise.all([first, ...others]);
    expect(batches.map(({ number, increments }) => [number, increments.length])).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(await total(ledger)).toBe(1_001n);
  });

  test('keeps only configured dimensions', async () => {
    const ledger = await open({ dimensions: ['org'] });
    await ledger.record([pull({ org: 'a.org', arch: 'amd64', repository: 'library/alpine', user: 'me' })]);
    expect(batches[0]?.increments[0]?.dimensions).toEqual({ org: 'a.org' });
  });

  test('answers no promise with relaxed durability', async () => {
    const ledger = await open({ durability: 'relaxed' });
    expect(ledger.record([pull()])).toBeUndefined();
    await ledger.close(5_000);
    expect(await total(ledger)).toBe(1n);
  });

  test('counts on the current day in the zone of the ledger', async () => {
    let now = Date.parse('2026-11-21T22:59:59.999Z');
    const clock: Clock = { now: () => now, monotonic: () => systemClock.monotonic() };
    await own.reopen({ file: join(own.directory, 'berlin.sqlite'), timeZone: 'Europe/Berlin' });
    const ledger = await open({ clock });
    await ledger.record([pull()]);
    now += 1;
    await ledger.record([pull()]);
    const { rows } = await ledger.query(parseUsageQuery('pulls', { by: 'day' }));
    expect(rows.map(({ from }) => (from ?? 0) - 20_778)).toEqual([0, 1]);
  });
});

describe('people', () => {
  const person = { user: 'alice', client: '192.0.2.1' };

  test('are kept as stable pseudonyms, and are found by their names', async () => {
    const ledger = await open({ dimensions: ['user', 'client'] });
    await ledger.record([pull(person)]);
    const kept = batches[0]?.increments[0]?.dimensions;
    expect(kept).toEqual({
      user: expect.stringMatching(/^[0-9a-f]{8}:[0-9a-f]{32}$/),
      client: expect.stringMatching(/^[0-9a-f]{8}:[0-9a-f]{32}$/),
    });
    const bySomebody = async (user: string): Promise<bigint> =>
      (await ledger.query(parseUsageQuery('pulls', { user }))).total;
    expect(await bySomebody('alice')).toBe(1n);
    expect(await bySomebody(kept?.user ?? '')).toBe(1n);
    expect(await bySomebody('bob')).toBe(0n);

    await own.reopen();
    metrics = new MetricSet();
    await (await open({ dimensions: ['user', 'client'] })).record([pull(person)]);
    expect(batches[1]?.increments[0]?.dimensions).toEqual(kept);
  });

  test('are kept as plain values if the options say so', async () => {
    const ledger = await open({ dimensions: ['user', 'client'], plain: ['user'] });
    await ledger.record([pull(person)]);
    expect(batches[0]?.increments[0]?.dimensions).toEqual({ user: 'alice', client: expect.stringContaining(':') });
  });
});

describe('a dimension with too many values', () => {
  test('keeps the first values of a day, and counts the rest under __other__', () => {
    const caps = new Caps({ org: 2, repository: 1 });
    caps.remember(20_000, new Map([['org', [{ value: 'first.org', org: 'first.org', own: true, stated: false }]]]));
    const folded: string[] = [];
    const keep = (day: number, org: string, repository: string) =>
      caps.keep({ day, org, isStated: false }, { org, repository }, (dimension) => folded.push(dimension));
    expect(keep(20_000, 'second.org', 'a')).toEqual({ org: 'second.org', repository: 'a' });
    expect(keep(20_000, 'third.org', 'a')).toEqual({ org: '__other__', repository: 'a' });
    expect(keep(20_000, 'second.org', 'b')).toEqual({ org: 'second.org', repository: '__other__' });
    expect(folded).toEqual(['org', 'repository']);
    expect(keep(20_001, 'third.org', 'b')).toEqual({ org: 'third.org', repository: 'b' });
    expect(keep(20_000, 'third.org', 'c')).toEqual({ org: '__other__', repository: '__other__' });
  });

  test('remembers the first values after a restart, and counts folded ones', async () => {
    let ledger = await open({ dimensions: ['arch'] });
    const arches = Array.from({ length: limits.architecturesPerDayMax + 3 }, (_, index) => `arch${index}`);
    await ledger.record(arches.map((arch) => pull({ arch })));
    expect(samples('tonnage_ledger_folded_values')).toEqual(new Map([['dimension="arch"', 3]]));
    await own.reopen();
    metrics = new MetricSet();
    ledger = await open({ dimensions: ['arch'] });
    await ledger.record([pull({ arch: 'arch0' }), pull({ arch: 'arch64' }), pull({ arch: 'new' })]);
    const { rows, total: all } = await ledger.query(parseUsageQuery('pulls', { by: 'arch' }));
    const values = new Map(rows.map(({ dimensions, value }) => [dimensions.arch, value]));
    expect(values.get('arch0')).toBe(2n);
    expect(values.get('__other__')).toBe(5n);
    expect(values.has('new')).toBe(false);
    expect(all).toBe(BigInt(arches.length + 3));
  });
});

describe('a commit that fails or is late', () => {
  test('delays the answer only up to the wait, keeps the count, and saves it when the store recovers', async () => {
    let broken = true;
    beforeCommit = async () => {
      if (broken) throw new Error('disk full');
    };
    const ledger = await open({ commitWaitMs: 40 });
    const started = systemClock.monotonic();
    await ledger.record([pull()]);
    expect(systemClock.monotonic() - started).toBeLessThan(30_000);
    expect(ledger.status()).toEqual({ unsavedEvents: 1, failure: 'disk full' });
    expect(await total(ledger)).toBe(0n);
    expect(samples('tonnage_ledger_unsaved_events')).toEqual(new Map([['', 1]]));
    broken = false;
    await ledger.close(5_000);
    expect(ledger.status()).toEqual({ unsavedEvents: 0 });
    expect(await total(ledger)).toBe(1n);
  });

  test('a commit that was stored and whose answer was lost does not count twice', async () => {
    const { journal } = own.store;
    let lost = false;
    const forgetful: Journal = {
      ...journal,
      async commit(batch) {
        const committed = await journal.commit(batch);
        if (lost) return committed;
        lost = true;
        throw new Error('the answer got lost');
      },
    };
    const ledger = await open({ store: { ...own.store, journal: forgetful } });
    await ledger.record([pull()]);
    await ledger.record([pull()]);
    expect(lost).toBe(true);
    expect(await total(ledger)).toBe(2n);
  });

  test('a close logs and reports how much could not be saved and why, and retries nothing afterwards', async () => {
    beforeCommit = () => Promise.reject(new Error('disk full'));
    const { log, lines } = keptLog();
    const ledger = await open({ commitWaitMs: 10, log });
    await ledger.record([pull(), pull({ org: 'a.org' }, 5n)]);
    await expect(ledger.close(500)).rejects.toMatchObject({
      code: 'ledger_unsaved',
      message: '2 counted events could not be saved within 500 ms: disk full',
    });
    expect(lines.at(-1)).toMatchObject({
      level: 'error',
      fields: { unsavedEvents: 2, quantities: { pulls: '6' }, error: 'disk full' },
    });
    const tries = batches.length;
    expect(tries).toBeGreaterThan(2);
    beforeCommit = () => Promise.resolve();
    await ledger.record([pull()]);
    await expect(ledger.backfill([])).rejects.toMatchObject({ code: 'ledger_unavailable' });
    await expect(ledger.ingest([{ kind: 'void', ...event, target: event }])).rejects.toMatchObject({
      code: 'ledger_unavailable',
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(batches.length).toBe(tries);
  });

  test('repeated failures are logged once, and the recovery once', async () => {
    let failures = 4;
    beforeCommit = async () => {
      if (failures-- > 0) throw new Error('disk full');
    };
    const { log, lines } = keptLog();
    const ledger = await open({ log });
    await ledger.record([pull()]);
    expect(lines.map(({ level, text }) => `${level} ${text}`)).toEqual([
      'error the ledger could not commit; it keeps the counts in memory and retries',
      'info the ledger commits again; nothing was lost',
    ]);
    expect(samples('tonnage_ledger_failed_commits')).toEqual(new Map([['', 4]]));
  });
});

describe('while commits fail, memory is bounded by cells', () => {
  test('details fold first, then organisations; no event is lost', () => {
    const cells = new Cells(
      ['org', 'arch', 'repository'],
      (_day, values) => values,
      () => undefined,
    );
    const pending = new PendingBatch(cells, 10);
    let folded = 0;
    for (let index = 0; index < 1_000; index++) {
      const dimensions = { org: `org${index % 50}`, arch: 'amd64', repository: `r${index}` };
      if (pending.add(cells.of('pulls', 20_000, dimensions), 1n)) folded++;
    }
    const increments = pending.increments();
    expect(increments.reduce((sum, { quantity }) => sum + quantity, 0n)).toBe(1_000n);
    expect(pending.events).toBe(1_000);
    expect(increments.length).toBeLessThanOrEqual(21);
    expect(folded).toBe(990);
    expect(increments).toContainEqual({
      meter: 'pulls',
      day: 20_000,
      dimensions: { org: 'org10', arch: 'amd64', repository: '__other__' },
      quantity: 20n,
    });
  });
});

describe('tonnage_usage', () => {
  test('is everything ever counted, even after opening again', async () => {
    const ledger = await open();
    await ledger.record([pull({ org: 'a.org', arch: 'amd64', repository: 'x' }, 2n ** 60n)]);
    await ledger.record([pull({ org: 'a.org', arch: 'amd64', repository: 'y' }), pull()]);
    const expected = new Map([
      ['meter="pulls",org="a.org",arch="amd64"', 2n ** 60n + 1n],
      ['meter="pulls",org="",arch=""', 1n],
    ]);
    expect(samples('tonnage_usage')).toEqual(expected);
    await own.reopen();
    metrics = new MetricSet();
    await open();
    expect(samples('tonnage_usage')).toEqual(expected);
  });

  test('does not name organisations unless it may', async () => {
    const ledger = await open({ orgLabels: false });
    await ledger.record([pull({ org: 'a.org', arch: 'amd64' }), pull({ org: 'b.org', arch: 'amd64' })]);
    expect(samples('tonnage_usage')).toEqual(new Map([['meter="pulls",org="",arch="amd64"', 2n]]));
  });
});
