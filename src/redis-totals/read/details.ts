import { accountKey, RowSums } from '../../usage/index.ts';
import type { Day, UsageQuery } from '../../usage/index.ts';
import { detailKey, ownDayKey } from '../layout.ts';
import { readForeign, type RangedQuery } from './accounts.ts';
import { CellFields, eachCell } from './cell-fields.ts';
import { planOf, type OwnPeriod } from './plan.ts';
import type { Reads } from './reads.ts';
import { readNames, type Scope } from './scope.ts';
import { createWaveCells, namesNeeded } from './wave-cells.ts';

/**
 * Sums of a question that needs more than organisations and architectures: the details of all ledgers. Where a day has
 * lost its details the ledger's account of it stands in, and on a foreign day what Wave's hash has beyond our ledgers;
 * both lack the other dimensions. `gone`: there was any of either.
 *
 * @param detailsFrom first day whose details are still kept
 */
export async function detailRows(
  reads: Reads,
  query: RangedQuery,
  scope: Scope,
  detailsFrom: Day,
): Promise<{ readonly sums: RowSums; readonly gone: boolean }> {
  const sums = new RowSums(query);
  // By day, foreign days too: our own share of them has details.
  const { days } = planOf({ ...query, window: 'day', own: scope.own, foreign: new Set() });
  const detailed = days.filter(({ first }) => first >= detailsFrom);
  const withDetails = await readDetails(reads, query.meter, detailed, sums);
  const rest = days.filter((period) => !withDetails.has(period));
  const fromAccounts = await readAccounts(reads, query.meter, rest, sums);
  const fromWave = await readRestOfWave(reads, query, scope, sums);
  return { sums, gone: fromAccounts || fromWave };
}

/** Adds details, and answers which days have any. */
async function readDetails(
  reads: Reads,
  meter: string,
  days: readonly OwnPeriod[],
  sums: RowSums,
): Promise<ReadonlySet<OwnPeriod>> {
  const fields = new CellFields(sums);
  const found = new Set<OwnPeriod>();
  const keys = days.map(({ ledgerId, first }) => detailKey(meter, first, ledgerId));
  await reads.hashes(keys, (index, pairs) => {
    const period = days[index];
    if (!period) return;
    found.add(period);
    fields.add(period.first, pairs);
  });
  return found;
}

async function readAccounts(reads: Reads, meter: string, days: readonly OwnPeriod[], sums: RowSums): Promise<boolean> {
  const fields = new CellFields(sums);
  const keys = days.map(({ ledgerId, first }) => ownDayKey(ledgerId, meter, first));
  let any = false;
  await reads.hashes(keys, (index, pairs) => {
    const period = days[index];
    if (!period) return;
    any = true;
    fields.add(period.first, pairs);
  });
  return any;
}

/** Adds what Wave's hash has beyond the accounts of our ledgers. */
async function readRestOfWave(reads: Reads, query: RangedQuery, scope: Scope, sums: RowSums): Promise<boolean> {
  const { foreign, to, from, meter } = { ...query, ...scope };
  const days = [...foreign].filter((day) => day >= from && day < to).toSorted((a, b) => a - b);
  if (days.length === 0) return false;
  const byAccount: Pick<UsageQuery, 'by' | 'where'> = { by: ['org', 'arch'], where: accountFilters(query) };
  const names = await readNames(reads, meter, namesNeeded(byAccount, true));
  const cells = createWaveCells(meter, byAccount, names, true);
  let any = false;
  for (const day of days) {
    // The fields first: what is counted between the two readings must not pass for Wave's.
    const ofDay = new Map<string, bigint>();
    await readForeign(reads, cells, [day], (_, org, arch, value) => {
      const field = accountKey({ ...(org !== null && { org }), ...(arch !== null && { arch }) });
      if (value > 0n) ofDay.set(field, value);
    });
    const keys = [...scope.own.keys()].map((ledgerId) => ownDayKey(ledgerId, meter, day));
    await reads.hashes(keys, (_, pairs) =>
      eachCell(pairs, ({ org, arch }, amount) => {
        const field = accountKey({ ...(org != null && { org }), ...(arch != null && { arch }) });
        ofDay.set(field, (ofDay.get(field) ?? 0n) - BigInt(amount));
      }),
    );
    const window = sums.windowOf(day);
    const rest = [...ofDay].filter(([, value]) => value > 0n).map(([field, value]) => [field, String(value)]);
    const pairs = rest.flat();
    if (pairs.length > 0) any = true;
    eachCell(pairs, (values, amount) => sums.add(window, sums.groupOf(values), amount));
  }
  return any;
}

function accountFilters({ where }: Pick<UsageQuery, 'where'>): UsageQuery['where'] {
  return { ...(where.org !== undefined && { org: where.org }), ...(where.arch !== undefined && { arch: where.arch }) };
}
