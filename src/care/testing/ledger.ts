import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemClock, systemRandom } from '../../base/index.ts';
import { type Increment, parseDay, type UsageQuery, voidCell } from '../../usage/index.ts';
import type { KeyedEvents, RemoteStore, Store } from '../../store/index.ts';
import { createLedgerFile, openSqliteStore } from '../../ledger-file/index.ts';
import { delivered } from '../../store/testing/delivered.ts';
import {
  openTestRedisStore,
  testRemote,
  untilDelivering,
  untilReadable,
  type TestRemoteOptions,
} from '../../redis-totals/testing/redis-store.ts';
import { createLedgerCare, type LedgerCare } from '../ledger-care.ts';

export const today = parseDay('2026-11-21') ?? Number.NaN;

const noon = (today + 0.5) * 86_400_000;
const clock = { ...systemClock, now: () => noon };

/** An increment of `pulls` as tests write it. */
export function pulls(day: number, quantity: bigint, dimensions: Increment['dimensions']): Increment {
  return { meter: 'pulls', day, quantity, dimensions };
}

/** Events of one each with numbers for their identities, or voids of such. */
export function keyed(
  events: readonly (
    ({ readonly id: number } & Omit<Increment, 'quantity'>) | { readonly id: number; readonly voids: number }
  )[],
): KeyedEvents {
  const keys = new Uint32Array(events.length * 4);
  const voids = events.flatMap((event) => ('voids' in event ? [event.voids] : []));
  const targets = new Uint32Array(voids.length * 4);
  for (const [index, { id }] of events.entries()) keys.set([id, id, 7, 1], index * 4);
  for (const [index, id] of voids.entries()) targets.set([id, id, 7, 1], index * 4);
  const counted = events.flatMap((event) => ('voids' in event ? [] : [event]));
  const cellOf = Uint32Array.from(events, (event) => ('voids' in event ? voidCell : counted.indexOf(event)));
  return {
    keys: new Uint8Array(keys.buffer),
    cells: counted,
    cellOf,
    quantities: Float64Array.from(events, () => 1),
    targets: new Uint8Array(targets.buffer),
  };
}

/** A ledger in a directory of its own, with the store of a Redis at `url`, or by itself. */
export class TestLedger {
  readonly data: string;
  readonly file: string;

  constructor(data: string) {
    mkdirSync(data, { recursive: true });
    this.data = data;
    this.file = join(data, 'ledger.sqlite');
  }

  /** The id in the file of a ledger that was opened before. */
  id(): string {
    const database = new DatabaseSync(this.file, { readOnly: true });
    try {
      return String(database.prepare('select ledger_id from ledger').get()?.['ledger_id']);
    } finally {
      database.close();
    }
  }

  open(url?: string, detailDays = 400): Promise<Store> {
    if (url !== undefined) return openTestRedisStore(url, this.file, { clock, detailDays });
    return openSqliteStore({ file: this.file, timeZone: 'UTC', acceptTimeZone: false, clock, random: systemRandom });
  }

  /** Opens it, does something, delivers all, and closes it. */
  async with<T>(url: string | undefined, work: (store: Store) => Promise<T>): Promise<T> {
    const store = await this.open(url);
    try {
      await untilDelivering(store);
      const result = await work(store);
      await delivered(store);
      return result;
    } finally {
      await store.close();
    }
  }

  /** Commits increments in batches of their own. */
  commit(url: string | undefined, ...batches: readonly (readonly Increment[])[]): Promise<void> {
    return this.with(url, async ({ journal }) => {
      let number = journal.lastBatch;
      for (const increments of batches) await journal.commit({ number: ++number, at: noon, increments });
    });
  }

  commitKeyed(url: string | undefined, events: Parameters<typeof keyed>[0]): Promise<readonly number[]> {
    return this.with(url, async ({ journal }) => {
      const number = journal.lastBatch + 1;
      const { outcomes } = await journal.commit({ number, at: noon, increments: [], keyed: keyed(events) });
      return [...(outcomes ?? [])];
    });
  }

  /** What the store answers about everything, by day, organisation, architecture and `by`. */
  answers(url: string | undefined, by: UsageQuery['by'] = []): Promise<readonly unknown[]> {
    return this.with(url, async (store) => {
      await untilReadable(store);
      const rows = [];
      for (const meter of ['pulls', 'fusion', 'egress_bytes']) {
        const query: UsageQuery = {
          meter,
          window: 'day',
          by: ['org', 'arch', ...by],
          where: {},
          limit: 10_000,
          offset: 0,
        };
        for (const row of (await store.totals.query(query, today)).rows) rows.push({ meter, ...row });
      }
      return rows;
    });
  }

  care(url?: string, settings: TestRemoteOptions = {}): LedgerCare {
    return createLedgerCare({
      file: createLedgerFile(this.data, 'ledger.sqlite'),
      ...(url !== undefined && { remote: remoteAt(url, settings) }),
      meters: ['pulls', 'fusion', 'builds', 'mirrors', 'scans', 'egress_bytes'],
      clock,
      random: systemRandom,
    });
  }
}

/** The Redis at `url`, at noon of `today`. */
export function remoteAt(url: string, settings: TestRemoteOptions = {}): RemoteStore {
  return testRemote(url, { clock, ...settings });
}
