import { formatDay, type Day, type Dimension } from '../usage/index.ts';

/**
 * Names of keys in Redis. A script touches keys of one slot only, so keys that must change together share a hash tag:
 *
 * - `{metrics/v1}`: Wave's own hash, whose name is its own tag, and beside it the numbers of the ledgers, what each of
 *   them has given to each day and month, and the index of names.
 * - `{tonnage/<meter>/<day>}`: the details of one meter on one day, so that a Cluster spreads them and one day drops
 *   whole.
 */

/** Wave's hash, with fields exactly as Wave writes them (`usage/wave-fields.ts`). */
export const waveHash = 'metrics/v1';

const tag = '{metrics/v1}';

/** Hash: ledger id -> the last batch of that ledger that is in this slot, as `<number>:<token>` (`batch-text.ts`). */
export const numbersKey = `${tag}:seq`;

/** Hash: ledger id -> token of the time when that ledger took over all that is here into a file of its own. */
export const takenKey = `${tag}:taken`;

/** List of increments that could not be added (JSON), since a field was no integer or would have overflowed. */
export const rejectedKey = `${tag}:rejected`;

/**
 * Hash: field of `waveHash` or of `otherMetersHash` that several organisations share -> what it lacks of one ledger, since
 * it held no integer or would have overflowed.
 */
export function lackingKey(ledgerId: string): string {
  return `${tag}:lacking:${ledgerId}`;
}

/**
 * Hash: batch of one ledger and an account (`markOf`) -> what was rejected of that batch's change of the account. A void of
 * one of its events takes nothing back.
 */
export function missingKey(ledgerId: string): string {
  return `${tag}:missing:${ledgerId}`;
}

/** All-time sums of meters that Wave does not have, under fields of the same form as Wave's. */
export const otherMetersHash = `${tag}:others`;

/** Hash: account field (`accountKey`) -> what one ledger has counted on one day. */
export function ownDayKey(ledgerId: string, meter: string, day: Day): string {
  return `${tag}:own:${ledgerId}:day:${meter}:${formatDay(day)}`;
}

/** Hash: account field -> what one ledger has counted in one month. */
export function ownMonthKey(ledgerId: string, meter: string, month: Day): string {
  return `${tag}:own:${ledgerId}:month:${meter}:${formatDay(month).slice(0, 7)}`;
}

/** Set of the days (`YYYY-MM-DD`) on which one ledger has counted anything for a meter. */
export function ownDaysKey(ledgerId: string, meter: string): string {
  return `${tag}:own:${ledgerId}:days:${meter}`;
}

/** Sets of the names that occur in the fields of a meter, whoever wrote them. */
export function indexKey(meter: string, names: 'orgs' | 'archs' | 'days'): string {
  return `${tag}:index:${names}:${meter}`;
}

/** Set of the days of a meter on which somebody beside our ledgers has counted: there the fields of Wave's hash are read. */
export function foreignDaysKey(meter: string): string {
  return `${tag}:index:foreign:${meter}`;
}

/** Hash with the state of `tonnage wave import`: cursor, scanned, done, indexedAt. */
export const importKey = `${tag}:index:import`;

/**
 * Hash: key of an event (hex) -> who claimed it and what it counts; of the claims of seven days, the first of which names
 * it (`shared/claim-script.ts`).
 */
export function seenKey(firstDay: Day): string {
  return `${tag}:seen:${formatDay(firstDay)}`;
}

/** Hash: the cells that claims of these days count in, each under its number, and its number under it. */
export function seenCellsKey(firstDay: Day): string {
  return `${tag}:seen:${formatDay(firstDay)}:cells`;
}

/** Set of the days (`YYYY-MM-DD`) that such hashes are named after. */
export const seenDaysKey = `${tag}:seen`;

/** Hash: ledger id -> the number that stands for it in claims. */
export const seenLedgersKey = `${tag}:seen:ledgers`;

/**
 * Set of the hashes of the values that a dimension has on a day for one organisation, whose hash is `owner`, at all instances
 * that share their events.
 */
export function sharedValuesKey(day: Day, dimension: Dimension, owner: string): string {
  return `${tag}:values:${formatDay(day)}:${dimension}:${owner}`;
}

/** How instances that share their events hash identities: the secret in hex, after `2:` for version 2 of the hash. */
export const hashKeyKey = `${tag}:hash-key`;

/** Hash: ledger id -> the last batch that is in this meter's day, as in `numbersKey`. */
export function detailNumbersKey(meter: string, day: Day): string {
  return `{tonnage/${meter}/${formatDay(day)}}:seq`;
}

/** Hash: detail field (`detailField`) -> what one ledger has counted. */
export function detailKey(meter: string, day: Day, ledgerId: string): string {
  return `{tonnage/${meter}/${formatDay(day)}}:cells:${ledgerId}`;
}

/** List of changes of these details that could not be added (JSON), as `rejectedKey` is for totals. */
export function detailRejectedKey(meter: string, day: Day): string {
  return `{tonnage/${meter}/${formatDay(day)}}:rejected`;
}

/** Hash of what was rejected of these details of one ledger, as `missingKey` is for totals. */
export function detailMissingKey(meter: string, day: Day, ledgerId: string): string {
  return `{tonnage/${meter}/${formatDay(day)}}:missing:${ledgerId}`;
}

/** What leaves when one ledger's details of a day are dropped, as `dropScript` wants it. */
export function detailKeys(meter: string, day: Day, ledgerId: string): readonly string[] {
  return [
    detailNumbersKey(meter, day),
    detailKey(meter, day, ledgerId),
    detailMissingKey(meter, day, ledgerId),
    detailRejectedKey(meter, day),
  ];
}

/** The field of a cell: all dimensions as a JSON array, in the order of `dimensions`, without the nulls at its end. */
export function detailField(values: readonly (string | null)[]): string {
  const length = values.findLastIndex((value) => value !== null) + 1;
  return JSON.stringify(values.slice(0, length));
}
