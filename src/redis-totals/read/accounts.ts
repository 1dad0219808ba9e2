import { limits } from '../../base/index.ts';
import { RowSums, type Day, type UsageQuery } from '../../usage/index.ts';
import { otherMetersHash, ownDayKey, ownMonthKey, waveHash } from '../layout.ts';
import { parseAmount } from './amount.ts';
import { CellFields } from './cell-fields.ts';
import { planOf, type OwnPeriod } from './plan.ts';
import { hasGrown, isWaveMeter, readNames, readScope, type Scope } from './scope.ts';
import { createWaveCells, namesNeeded, type WaveCells } from './wave-cells.ts';
import type { Reads } from './reads.ts';

/** A query whose range has both ends. */
export type RangedQuery = UsageQuery & { readonly from: Day; readonly to: Day };

/**
 * The sums of a query that needs no details. Foreign days (those with counts that no ledger has made) are read from the
 * fields of Wave's hash. All other days are read from the ledgers' own hashes, by month where `planOf` allows that.
 * `known`: the days of the meter. Rejects with the errors of `Reads`.
 */
export async function accountRows(reads: Reads, query: RangedQuery, known: Scope): Promise<RowSums> {
  let scope = known;
  for (;;) {
    const sums = new RowSums(query);
    const plan = planOf({ ...query, ...scope });
    if (plan.foreign.length > 0) {
      const names = await readNames(reads, query.meter, namesNeeded(query, true));
      const cells = createWaveCells(query.meter, query, names, true);
      await readForeign(reads, cells, plan.foreign, (day, org, arch, value) =>
        sums.add(sums.windowOf(day), sums.groupOf({ org, arch }), value),
      );
    }
    await readOwn(reads, query.meter, plan.days, ownDayKey, sums);
    await readOwn(reads, query.meter, plan.months, ownMonthKey, sums);
    // If a ledger began a new day during the reads, its month may include that day although the range does not.
    if (plan.months.length === 0 || !(await hasGrown(reads, scope))) return sums;
    scope = { ...(await readScope(reads, query.meter)), foreign: scope.foreign };
  }
}

/** The sums of all time, from the fields without a day. */
export async function allTimeRows(reads: Reads, query: UsageQuery): Promise<RowSums> {
  const sums = new RowSums(query);
  const names = await readNames(reads, query.meter, namesNeeded(query, false));
  const cells = createWaveCells(query.meter, query, names, false);
  const hash = isWaveMeter(query.meter) ? waveHash : otherMetersHash;
  const values = await reads.values(hash, cells.fields());
  const window = sums.windowOf(0);
  cells.cells(values.map(toBigInt), (org, arch, value) => sums.add(window, sums.groupOf({ org, arch }), value));
  return sums;
}

/** Reads days from Wave's hash. Calls `each` for every cell of `cells`. */
export async function readForeign(
  reads: Reads,
  cells: WaveCells,
  days: readonly Day[],
  each: (day: Day, org: string | null, arch: string | null, value: bigint) => void,
): Promise<void> {
  // Reads as many days at a time as fit into the reads in flight, so that memory never holds a whole year.
  const perStep = Math.max(
    1,
    Math.floor((limits.redisReadFieldsMax * limits.redisReadsInFlightMax) / (cells.size || 1)),
  );
  for (let start = 0; start < days.length; start += perStep) {
    const some = days.slice(start, start + perStep);
    const values = await reads.values(
      waveHash,
      some.flatMap((day) => cells.fields(day)),
    );
    for (const [index, day] of some.entries()) {
      const ofDay = values.slice(index * cells.size, (index + 1) * cells.size).map(toBigInt);
      cells.cells(ofDay, (org, arch, value) => each(day, org, arch, value));
    }
  }
}

async function readOwn(
  reads: Reads,
  meter: string,
  periods: readonly OwnPeriod[],
  keyOf: (ledgerId: string, meter: string, first: Day) => string,
  sums: RowSums,
): Promise<void> {
  const fields = new CellFields(sums);
  const keys = periods.map(({ ledgerId, first }) => keyOf(ledgerId, meter, first));
  await reads.hashes(keys, (index, pairs) => {
    const period = periods[index];
    if (period) fields.add(period.first, pairs);
  });
}

function toBigInt(reply: Parameters<typeof parseAmount>[0]): bigint {
  return BigInt(parseAmount(reply));
}
