import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import { endsWithin, systemClock } from '../../base/index.ts';
import { encode, openMetrics } from '../../exposition/index.ts';
import type { CollectorSet } from '../collector-set.ts';
import type { Collector } from '../contract.ts';
import { slowReadMs, type BreakableSource, type CollectorFixture } from './breakable.ts';
import { newSet } from './sources.ts';

const name = 'subject';

/** What one check works with. */
interface Trial {
  readonly source: BreakableSource;
  readonly collector: Collector;
  readonly set: CollectorSet;
  readonly deadlineMs: number;
  /** For `vi.waitFor`. */
  readonly patience: { readonly timeout: number; readonly interval: number };
  /** The lines of the log, without those of level `debug`. */
  readonly lines: readonly string[];
}

interface FaultCheck {
  readonly title: string;
  readonly run: (trial: Trial) => Promise<void>;
}

/** Opens a collector in a set, runs a check, and closes and restores everything. Rejects if the driver fails the check. */
export async function runFaultCheck({ run }: FaultCheck, fixture: CollectorFixture): Promise<void> {
  const { source, deadlineMs = 2_000, patienceMs = 20_000, secrets = [] } = fixture;
  if ('unbreakable' in source) throw new Error('expected a source that can be broken');
  const collector = await fixture.open();
  const { set, lines } = newSet(systemClock);
  set.add({ name, collector, intervalMs: 60_000, deadlineMs });
  try {
    await run({ source, collector, set, deadlineMs, patience: { timeout: patienceMs, interval: 10 }, lines });
    const shown = [...lines, JSON.stringify(set.status())].join('\n');
    for (const secret of secrets) expect(shown).not.toContain(secret);
  } finally {
    await source.restore();
    await set.close();
  }
}

/** What every driver does when its source is broken. */
export const faultChecks: readonly FaultCheck[] = [
  { title: 'a read that hangs ends at its deadline as a timeout, and the snapshot stays', run: hangs },
  { title: 'a refused read has its class, is logged once, and the snapshot stays', run: refused },
  { title: 'a partial result never becomes a snapshot', run: truncated },
  { title: 'a slow read does not delay a scrape, and succeeds', run: slow },
  { title: 'an aborted read ends soon and leaves no work at the source', run: aborted },
  { title: 'a collector that is closed during a read ends it and leaves no work at the source', run: closed },
  { title: 'after a restart of the source the next read succeeds', run: restarts },
  { title: 'after a restart of the source during a read the next read succeeds', run: restartsDuringRead },
];

async function hangs({ source, set, deadlineMs, patience, lines }: Trial): Promise<void> {
  const before = await readWell(set);
  await source.hang();
  const begun = performance.now();
  await expect(set.read(name)).rejects.toMatchObject({ errorClass: 'timeout' });
  expect(performance.now() - begun).toBeLessThan(deadlineMs + patience.timeout);
  expectStale(set, before);
  expect(lines).toEqual([expect.stringContaining('"class":"timeout"')]);
  await source.restore();
  await readsAgain(set, patience);
}

async function refused({ source, set, patience, lines }: Trial): Promise<void> {
  const before = await readWell(set);
  await source.refuse();
  for (const _ of [1, 2, 3]) await expect(set.read(name)).rejects.toMatchObject({ errorClass: source.refused });
  expectStale(set, before);
  expect(set.status()[0]?.errors[source.refused]).toBe(3);
  expect(lines).toEqual([expect.stringContaining(`"class":"${source.refused}"`)]);
  await source.restore();
  await readsAgain(set, patience);
  expect(lines).toEqual([expect.anything(), expect.stringContaining('a source is readable again')]);
}

async function truncated({ source, set }: Trial): Promise<void> {
  await source.truncate();
  await expect(set.read(name)).rejects.toMatchObject({ errorClass: source.truncated });
  expect(set.families(name)).toEqual([]);
  await source.restore();
  const before = await readWell(set);
  await source.truncate();
  await expect(set.read(name)).rejects.toMatchObject({ errorClass: source.truncated });
  expectStale(set, before);
}

async function slow({ source, set }: Trial): Promise<void> {
  const before = await readWell(set);
  await source.slow();
  const begun = performance.now();
  let ended = false;
  const reading = set.read(name).finally(() => (ended = true));
  let scrapes = 0;
  for (; !ended; scrapes++) {
    expect(text(set)).toBe(before);
    await nextTurn();
  }
  await reading;
  expect(performance.now() - begun).toBeGreaterThanOrEqual(slowReadMs * 0.9);
  // A driver that blocks the event loop leaves no time for scrapes.
  expect(scrapes).toBeGreaterThan(10);
}

async function aborted({ source, collector, patience }: Trial): Promise<void> {
  await source.hang();
  const controller = new AbortController();
  const ended = (async () => collector.collect(controller.signal))().catch(() => undefined);
  await vi.waitFor(async () => expect(await source.activeReads()).toBeGreaterThan(0), patience);
  controller.abort();
  expect(await endsWithin(patience.timeout, ended)).toBe(true);
  await vi.waitFor(async () => expect(await source.activeReads()).toBe(0), patience);
}

async function closed({ source, set, patience, lines }: Trial): Promise<void> {
  await source.hang();
  const ended = set.read(name).catch(() => undefined);
  await vi.waitFor(async () => expect(await source.activeReads()).toBeGreaterThan(0), patience);
  await set.close();
  await ended;
  await vi.waitFor(async () => expect(await source.activeReads()).toBe(0), patience);
  expect(lines).toEqual([]);
}

async function restarts({ source, set }: Trial): Promise<void> {
  const before = await readWell(set);
  await source.restart();
  expect(await readWell(set)).toBe(before);
}

async function restartsDuringRead({ source, set, patience }: Trial): Promise<void> {
  const before = await readWell(set);
  await source.hang();
  const ended = set.read(name).catch(() => undefined);
  await vi.waitFor(async () => expect(await source.activeReads()).toBeGreaterThan(0), patience);
  await source.restart();
  await source.restore();
  await ended;
  await readsAgain(set, patience);
  expect(text(set)).toBe(before);
}

/** Reads the source, which must succeed, and returns what a scrape shows. */
async function readWell(set: CollectorSet): Promise<string> {
  await set.read(name);
  expect(set.status()[0]).toMatchObject({ up: true });
  expect(set.families(name).length).toBeGreaterThan(0);
  return text(set);
}

/** Reads the source until it succeeds: an aborted read may still be ending. */
async function readsAgain(set: CollectorSet, patience: Trial['patience']): Promise<void> {
  await vi.waitFor(() => set.read(name), patience);
  expect(set.status()[0]).toMatchObject({ up: true });
}

/** A scrape shows what it showed before the failure, and the status shows the failure. */
function expectStale(set: CollectorSet, before: string): void {
  expect(text(set)).toBe(before);
  expect(set.status()[0]).toMatchObject({ up: false });
}

function text(set: CollectorSet): string {
  return Buffer.concat([...encode(set.families(name), openMetrics)]).toString();
}
