import {
  accountKey,
  dimensionRow,
  formatDay,
  monthOf,
  waveFieldsOf,
  waveMeters,
  type Increment,
} from '../../../usage/index.ts';
import {
  detailField,
  detailKey,
  foreignDaysKey,
  indexKey,
  numbersKey,
  otherMetersHash,
  ownDayKey,
  ownDaysKey,
  ownMonthKey,
  waveHash,
} from '../../layout.ts';
import type { RedisCommand, RedisLink } from '../../../redis-link/index.ts';

/** An increment with its origin. */
export interface Counted extends Increment {
  /** A ledger id, or `wave`. */
  readonly by: string;
}

/** The origin of counts that only Wave's hash has. */
export const wave = 'wave';

/** The commands of Wave for one event: it increments the fields one after the other. */
export function waveCommands(event: Increment): readonly RedisCommand[] {
  return fieldsOf(event).map((field) => ({
    key: waveHash,
    args: ['HINCRBY', waveHash, field, String(event.quantity)],
  }));
}

/**
 * Fills an empty Redis with these counts, including the index that an import makes. Days before `detailsFrom` get no
 * details.
 */
export async function fill(
  link: Pick<RedisLink, 'pipeline'>,
  counted: readonly Counted[],
  detailsFrom = -Infinity,
): Promise<void> {
  const hashes = new Map<string, Map<string, bigint>>();
  const sets = new Map<string, Set<string>>();
  const add = (key: string, field: string, amount: bigint): void => {
    let sums = hashes.get(key);
    if (!sums) hashes.set(key, (sums = new Map()));
    sums.set(field, (sums.get(field) ?? 0n) + amount);
  };
  const name = (key: string, member: string | undefined): void => {
    let members = sets.get(key);
    if (!members) sets.set(key, (members = new Set()));
    if (member !== undefined) members.add(member);
  };
  for (const one of counted) {
    const { by, meter, day, dimensions, quantity } = one;
    for (const field of fieldsOf(one)) add(waveMeters.includes(meter) ? waveHash : otherMetersHash, field, quantity);
    name(indexKey(meter, 'days'), formatDay(day));
    name(indexKey(meter, 'orgs'), dimensions.org);
    name(indexKey(meter, 'archs'), dimensions.arch);
    if (by === wave) {
      name(foreignDaysKey(meter), formatDay(day));
      continue;
    }
    name(ownDaysKey(by, meter), formatDay(day));
    add(numbersKey, by, 1n);
    add(ownDayKey(by, meter, day), accountKey(dimensions), quantity);
    add(ownMonthKey(by, meter, monthOf(day)), accountKey(dimensions), quantity);
    if (day >= detailsFrom) add(detailKey(meter, day, by), detailField(dimensionRow(dimensions)), quantity);
  }
  const commands = [
    ...[...hashes].map(([key, sums]) => ['HSET', key, ...[...sums].flatMap(([field, sum]) => [field, String(sum)])]),
    ...[...sets].filter(([, members]) => members.size > 0).map(([key, members]) => ['SADD', key, ...members]),
  ];
  await link.pipeline(commands.map((args) => ({ args, key: args[1] ?? '' })));
}

function fieldsOf({ meter, day, dimensions: { org, arch } }: Increment): readonly string[] {
  return waveFieldsOf({ meter, day, ...(org !== undefined && { org }), ...(arch !== undefined && { arch }) });
}
