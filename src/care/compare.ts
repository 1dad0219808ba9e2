import { setTimeout as pause } from 'node:timers/promises';
import type { FileCounts, HeldAccounts, LedgerReader, MeterDay, OnProgress, RemoteCare } from '../store/index.ts';
import { accountKey, formatDay, monthOf, type Increment } from '../usage/index.ts';
import { deliveryState, type DeliveryState } from './delivery-state.ts';

/** How often to compare a day again that differs, and the pause before each try: a server may be counting into it. */
const triesMax = 5;
const triesPauseMs = 200;

/** The result of a comparison. `notes` say what could not be compared, and why. */
export interface Comparison {
  readonly findings: readonly string[];
  readonly notes: readonly string[];
  /** What repairs the findings, if they do not say it themselves. */
  readonly remedy?: string;
}

export interface CompareOptions {
  readonly ledger: LedgerReader;
  readonly remote: RemoteCare;
  readonly meters: readonly string[];
  readonly onProgress?: OnProgress;
}

/** A note if a server will deliver the waiting batches by itself, else a finding. */
function notCompared({ name }: RemoteCare, { stopped, waiting }: DeliveryState): Comparison {
  if (stopped !== undefined) return { findings: [`${name}: ${stopped}`], notes: [] };
  const batches = waiting === 1 ? '1 batch is' : `${waiting} batches are`;
  const note = `${name} was not compared: ${batches} not delivered yet, which a running server does by itself`;
  return { findings: [], notes: [note] };
}

type Compared = 'same' | 'different' | 'moving';

/**
 * Compares what a remote store holds of this ledger, by day and by month, with the ledger's own sums. Compares nothing
 * while batches wait for delivery. Compares a day that differs again, because a running server may be counting into it.
 */
export async function compareRemote(options: CompareOptions): Promise<Comparison> {
  const { ledger, remote, meters, onProgress } = options;
  const state = await deliveryState(ledger, remote);
  if (state.stopped !== undefined || state.waiting > 0) return notCompared(remote, state);
  const own = await ledger.counts(meters);
  const sides: Sides = { ledger, own, remote };
  const findings: string[] = [];
  const notes: string[] = [];
  const note = (compared: Compared, what: string) => {
    if (compared === 'different') findings.push(`${remote.name}: ${what} is not what this ledger has counted`);
    if (compared === 'moving') notes.push(`${remote.name}: ${what} was not compared, since it is being counted into`);
  };
  const seen = new Set<string>();
  const months = new Map<string, MeterDay>();
  let done = 0;
  for await (const { meter, day } of own.days()) {
    seen.add(`${meter} ${day}`);
    months.set(`${meter} ${monthOf(day)}`, { meter, day: monthOf(day) });
    note(await compareDay(sides, { meter, day }), `${meter} of ${formatDay(day)}`);
    onProgress?.({ work: `days in ${remote.name}`, done: ++done, total: own.dayCount });
  }
  for (const { meter, day } of months.values()) {
    note(await compareMonth(sides, { meter, day }), `${meter} of the month ${formatDay(day).slice(0, 7)}`);
  }
  for (const meter of own.meters) {
    for (const day of await remote.ownDays(meter)) {
      if (seen.has(`${meter} ${day}`)) continue;
      note(await compareDay(sides, { meter, day }), `${meter} of ${formatDay(day)}`);
    }
  }
  return { findings, notes };
}

/** The two sides of a comparison. */
interface Sides {
  readonly ledger: LedgerReader;
  readonly own: FileCounts;
  readonly remote: RemoteCare;
}

function compareDay(sides: Sides, day: MeterDay): Promise<Compared> {
  const { own, remote } = sides;
  return untilStill(sides, async () => isSame(await remote.ownDay(day.meter, day.day), await own.accounts(day)));
}

function compareMonth(sides: Sides, month: MeterDay): Promise<Compared> {
  const { own, remote } = sides;
  return untilStill(sides, async () =>
    isSame(await remote.ownMonth(month.meter, month.day), await own.monthAccounts(month)),
  );
}

/** A difference counts only if nothing was committed or delivered in the meantime. */
async function untilStill(sides: Sides, same: () => Promise<boolean>): Promise<Compared> {
  if (await same()) return 'same';
  for (let tries = 0; tries < triesMax; tries++) {
    const before = await numbers(sides);
    if (await same()) return 'same';
    const after = await numbers(sides);
    if (new Set([...before, ...after]).size === 1) return 'different';
    await pause(triesPauseMs);
  }
  return 'moving';
}

/** The numbers of the last batch in the remote store and in the ledger. */
async function numbers({ ledger, remote }: Sides): Promise<readonly number[]> {
  const there = await remote.position(ledger.history);
  const { lastBatch } = await ledger.facts();
  return [there, lastBatch];
}

function isSame(held: HeldAccounts, accounts: readonly Increment[]): boolean {
  const nonZero = [...held].filter(([, value]) => value !== '0');
  if (nonZero.length !== accounts.length) return false;
  return accounts.every(({ dimensions, quantity }) => held.get(accountKey(dimensions)) === String(quantity));
}
