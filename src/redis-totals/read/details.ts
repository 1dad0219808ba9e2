import { accountKey, accountNames, RowSums } from '../../usage/index.ts';
import type { Day, UsageQuery } from '../../usage/index.ts';
import { detailKey, ownDayKey } from '../layout.ts';
import { readForeign, type RangedQuery } from './accounts.ts';
import { CellFields, eachCell } from './cell-fields.ts';
import { planOf, type OwnPeriod } from './plan.ts';
import type { Reads } from './reads.ts';
import { readNames, type Scope } from './scope.ts';
import { createWaveCells, namesNeeded } from './wave-cells.ts';

/**
 * The sums of a query that needs more dimensions than organisation and architecture, from the details of all ledgers.
 * For a day without details they include the ledger's accounts. For a foreign day they include the counts in Wave's
 * hash that no ledger has made. Both lack the other dimensions. `gone` is true if any such counts are included.
 *
 * @param detailsFrom the first day whose details are kept
 */
export async function detailRows(
  reads: Reads,
  query: RangedQuery,
  scope: Scope,
  detailsFrom: Day,
): Promise<{ readonly sums: RowSums; readonly gone: boolean }> {
  const sums = new RowSums(query);
  // Read foreign days too: the ledgers' own counts of these days have details.
  const { days } = planOf({ ...query, window: 'day', own: scope.own, foreign: new Set() });
  const detailed = days.filter(({ first }) => first >= detailsFrom);
  const withDetails = await readDetails(reads, query.meter, detailed, sums);
  const rest = days.filter((period) => !withDetails.has(period));
  const fromAccounts = await readAccounts(reads, query.meter, rest, sums);
  const fromWave = await readRestOfWave(reads, query, scope, sums);
  return { sums, gone: fromAccounts || fromWave };
}

/** Adds details. Resolves to the days that have any. */
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

/** Adds accounts. Resolves to whether there were any. */
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

/** Adds the counts in Wave's hash that no ledger has made. Resolves to whether there were any. */
async function readRestOfWave(reads: Reads, query: RangedQuery, scope: Scope, sums: RowSums): Promise<boolean> {
  const { foreign, to, from, meter } = { ...query, ...scope };
  const days = [...foreign].filter((day) => day >= from && day < to).toSorted((a, b) => a - b);
  if (days.length === 0) return false;
  const byAccount: Pick<UsageQuery, 'by' | 'where'> = { by: ['org', 'arch'], where: accountFilters(query) };
  const names = await readNames(reads, meter, namesNeeded(byAccount, true));
  const cells = createWaveCells(meter, byAccount, names, true);
  let any = false;
  for (const day of days) {
    // Read Wave's fields first: a ledger's count between the two reads must not be taken for Wave's.
    const ofDay = new Map<string, bigint>();
    await readForeign(reads, cells, [day], (_, org, arch, value) => {
      const field = accountKey(accountNames({ org, arch }));
      if (value > 0n) ofDay.set(field, value);
    });
    const keys = [...scope.own.keys()].map((ledgerId) => ownDayKey(ledgerId, meter, day));
    await reads.hashes(keys, (_, pairs) =>
      eachCell(pairs, (values, amount) => {
        const field = accountKey(accountNames(values));
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
