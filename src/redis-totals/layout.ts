import { formatDay, type Day, type Dimension } from '../usage/index.ts';

/**
 * Names of keys in Redis. A script can change keys of one slot only, so keys that change together share a tag:
 *
 * - `{metrics/v1}`: Wave's own hash (a key without braces is its own tag), the numbers of the ledgers, each ledger's
 *   sums by day and month, and the index of names.
 * - `{tonnage/<meter>/<day>}`: the details of one meter on one day. So a Cluster spreads days over its nodes, and a day
 *   can be dropped as a whole.
 */

/** Wave's hash, with fields exactly as Wave writes them (`usage/wave-fields.ts`). */
export const waveHash = 'metrics/v1';

const tag = '{metrics/v1}';

/** Hash: ledger id -> the last batch of that ledger in this tag, as `<number>:<token>` (`batch-text.ts`). */
export const numbersKey = `${tag}:seq`;

/** Hash: ledger id -> token of the migration that copied the counts in Redis to that ledger's file. */
export const takenKey = `${tag}:taken`;

/** List of rejected changes (JSON): a field held no integer or would have overflowed. */
export const rejectedKey = `${tag}:rejected`;

/**
 * Hash: shared field of `waveHash` or of `otherMetersHash` -> what it lacks of one ledger's counts, because it held no
 * integer or would have overflowed.
 */
export function lackingKey(ledgerId: string): string {
  return `${tag}:lacking:${ledgerId}`;
}

/**
 * Hash: batch of one ledger and an account (`markOf`) -> the rejected amount of that batch for that account. A void of
 * one of its events takes nothing back.
 */
export function missingKey(ledgerId: string): string {
  return `${tag}:missing:${ledgerId}`;
}

/** Hash: the sums of meters that Wave does not have, in fields of the same form as Wave's. */
export const otherMetersHash = `${tag}:others`;

/** Hash: account (`accountKey`) -> what one ledger has counted on one day. */
export function ownDayKey(ledgerId: string, meter: string, day: Day): string {
  return `${tag}:own:${ledgerId}:day:${meter}:${formatDay(day)}`;
}

/** Hash: account (`accountKey`) -> what one ledger has counted in one month. */
export function ownMonthKey(ledgerId: string, meter: string, month: Day): string {
  return `${tag}:own:${ledgerId}:month:${meter}:${formatDay(month).slice(0, 7)}`;
}

/** Set of the days (`YYYY-MM-DD`) that have counts of one ledger for a meter. */
export function ownDaysKey(ledgerId: string, meter: string): string {
  return `${tag}:own:${ledgerId}:days:${meter}`;
}

/** Sets of the names in the fields of a meter, whether a ledger or Wave wrote them. */
export function indexKey(meter: string, names: 'orgs' | 'archs' | 'days'): string {
  return `${tag}:index:${names}:${meter}`;
}

/** Set of the foreign days of a meter: those with counts that no ledger has made. Queries read them in Wave's hash. */
export function foreignDaysKey(meter: string): string {
  return `${tag}:index:foreign:${meter}`;
}

/** Hash with the state of `tonnage wave import`: cursor, scanned, done, indexedAt. */
export const importKey = `${tag}:index:import`;

/**
 * Hash: key of an event (hex) -> its claim, for seven days (`shared/claim-script.ts`). The first of these days names
 * the hash.
 */
export function seenKey(firstDay: Day): string {
  return `${tag}:seen:${formatDay(firstDay)}`;
}

/** Hash: the cells of the claims of these days, from number to cell and from cell to number. */
export function seenCellsKey(firstDay: Day): string {
  return `${tag}:seen:${formatDay(firstDay)}:cells`;
}

/** Set of the days (`YYYY-MM-DD`) in the names of the hashes of claims. */
export const seenDaysKey = `${tag}:seen`;

/** Hash: ledger id -> its number in claims. */
export const seenLedgersKey = `${tag}:seen:ledgers`;

/**
 * Set of the hashed values of a dimension on one day, for the organisation with the hash `owner`, at all instances that
 * share their events.
 */
export function sharedValuesKey(day: Day, dimension: Dimension, owner: string): string {
  return `${tag}:values:${formatDay(day)}:${dimension}:${owner}`;
}

/** The secret with which instances that share their events hash identities, in hex; `2:` in front for version 2. */
export const hashKeyKey = `${tag}:hash-key`;

/** Hash: ledger id -> the last batch in the details of a meter and day, as in `numbersKey`. */
export function detailNumbersKey(meter: string, day: Day): string {
  return `{tonnage/${meter}/${formatDay(day)}}:seq`;
}

/** Hash: cell (`detailField`) -> what one ledger has counted. */
export function detailKey(meter: string, day: Day, ledgerId: string): string {
  return `{tonnage/${meter}/${formatDay(day)}}:cells:${ledgerId}`;
}

/** List of rejected changes of the details of a meter and day, as `rejectedKey` for sums. */
export function detailRejectedKey(meter: string, day: Day): string {
  return `{tonnage/${meter}/${formatDay(day)}}:rejected`;
}

/** Hash of rejected amounts of one ledger's details of a meter and day, as `missingKey` for sums. */
export function detailMissingKey(meter: string, day: Day, ledgerId: string): string {
  return `{tonnage/${meter}/${formatDay(day)}}:missing:${ledgerId}`;
}

/** The keys of one ledger's details of a meter and day, in the order of `dropScript`. */
export function detailKeys(meter: string, day: Day, ledgerId: string): readonly string[] {
  return [
    detailNumbersKey(meter, day),
    detailKey(meter, day, ledgerId),
    detailMissingKey(meter, day, ledgerId),
    detailRejectedKey(meter, day),
  ];
}

/** The field of a cell: its dimensions as a JSON array, in the order of `dimensions`, without trailing nulls. */
export function detailField(values: readonly (string | null)[]): string {
  const length = values.findLastIndex((value) => value !== null) + 1;
  return JSON.stringify(values.slice(0, length));
}
