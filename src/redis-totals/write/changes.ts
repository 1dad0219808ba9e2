import { accountKey, dimensionRow, formatDay, monthOf, waveFieldsOf, waveMeters, type Day } from '../../usage/index.ts';
import type { BatchId, MeterDay, OutboxBatch, OutboxIncrement } from '../../store/index.ts';
import { noBatch } from '../batch-text.ts';
import {
  detailField,
  detailKey,
  detailMissingKey,
  detailNumbersKey,
  detailRejectedKey,
  indexKey,
  lackingKey,
  missingKey,
  numbersKey,
  otherMetersHash,
  ownDayKey,
  ownDaysKey,
  ownMonthKey,
  rejectedKey,
  waveHash,
} from '../layout.ts';

/** Fields of one hash that a change is added to. */
export interface HashFields {
  readonly key: string;
  readonly fields: readonly string[];
}

/** The meter, day, organisation and architecture that a change counts for, as the list of rejected changes tells them. */
export interface Account {
  readonly meter: string;
  readonly day: Day;
  readonly org?: string;
  readonly arch?: string;
}

/**
 * One amount, and the fields that it is added to: to all of `hashes` or to none, and if to these, to each field of
 * `shared` that can take it. Without any hash, it can only be rejected.
 */
export interface Change {
  readonly batch: number;
  readonly account: Account;
  readonly amount: bigint;
  /** Of what a void takes back (a negative amount): the batch in which its event counted, where that is known. */
  readonly countedIn?: number;
  /** The last one is a hash of this ledger alone, with one field, which names what changes. */
  readonly hashes: readonly HashFields[];
  /** Fields that other organisations change too: one of them that is full must not reject the rest. */
  readonly shared?: HashFields;
}

/** What one batch does to the keys of one slot. */
export interface TagBatch extends BatchId {
  /** The batch before it that did anything there; number 0: none. */
  readonly previous: BatchId;
  readonly changes: readonly Change[];
  /** Members to be added to sets, by key. */
  readonly names: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Keys of one slot, and what a run of batches does to them. */
export interface TagRun {
  readonly numbersKey: string;
  readonly rejectedKey: string;
  /** Hash of what shared fields lack; absent where there are none. */
  readonly lackingKey?: string;
  /** Hash of the changes that were rejected and whose events may still be voided. */
  readonly missingKey: string;
  /** Hashes that only this ledger writes: there a field that becomes 0 leaves. */
  readonly own: ReadonlySet<string>;
  readonly batches: readonly TagBatch[];
  /** The meter and day whose details these are; absent: the run belongs to the tag of Wave's hash. */
  readonly detail?: MeterDay;
}

/** What a tag holds, for people. */
export function placeOf({ detail }: Pick<TagRun, 'detail'>): string {
  return detail ? detailPlace(detail) : 'Redis';
}

export function detailPlace({ meter, day }: MeterDay): string {
  return `the details of ${meter} of ${formatDay(day)} in Redis`;
}

/** What the batches do to the tag of Wave's hash, which every batch touches. */
export function mainRun(ledgerId: string, batches: readonly OutboxBatch[]): TagRun {
  const own = new Set<string>();
  return {
    numbersKey,
    rejectedKey,
    lackingKey: lackingKey(ledgerId),
    missingKey: missingKey(ledgerId),
    own,
    batches: batches.map(({ number, token, previousToken, increments }) => {
      const changes: Change[] = [];
      const names = new Map<string, Set<string>>();
      for (const day of groupByDay(increments)) {
        const keys = accountKeys(ledgerId, day);
        own.add(keys.ownDay).add(keys.ownMonth);
        for (const { account, amount, countedIn } of sumAccounts(day)) {
          changes.push({
            batch: number,
            ...keys.change(account, amount),
            ...(countedIn !== undefined && { countedIn }),
          });
        }
        addNames(names, ledgerId, day);
      }
      return { number, token, previous: { number: number - 1, token: previousToken }, changes, names };
    }),
  };
}

/** What the batches do to the details of each meter and day, from `detailsFrom` on. */
export function detailRuns(ledgerId: string, batches: readonly OutboxBatch[], detailsFrom: Day): readonly TagRun[] {
  const runs = new Map<string, TagRun & { readonly batches: TagBatch[] }>();
  for (const { number, token, increments, touched } of batches) {
    for (const { meter, day, increments: ofDay } of groupByDay(increments)) {
      if (day < detailsFrom) continue;
      const tag = detailNumbersKey(meter, day);
      const key = detailKey(meter, day, ledgerId);
      let run = runs.get(tag);
      if (!run) {
        const detail = { meter, day };
        const lists = {
          rejectedKey: detailRejectedKey(meter, day),
          missingKey: detailMissingKey(meter, day, ledgerId),
        };
        runs.set(tag, (run = { numbersKey: tag, ...lists, own: new Set([key]), batches: [], detail }));
      }
      const before = touched.find((one) => one.meter === meter && one.day === day);
      run.batches.push({
        number,
        token,
        previous: before?.previous ?? noBatch,
        changes: ofDay.map((increment) => detailChange(number, key, increment)),
        names: new Map(),
      });
    }
  }
  return [...runs.values()];
}

function detailChange(batch: number, key: string, increment: OutboxIncrement): Change {
  const { meter, day, dimensions, quantity, countedIn } = increment;
  return {
    batch,
    ...(countedIn !== undefined && { countedIn }),
    account: { meter, day, ...accountNames(dimensions) },
    amount: quantity,
    hashes: [{ key, fields: [detailField(dimensionRow(dimensions))] }],
  };
}

export interface DayOfMeter {
  readonly meter: string;
  readonly day: Day;
  readonly increments: readonly OutboxIncrement[];
}

type DayGroup = DayOfMeter & { readonly increments: OutboxIncrement[] };

/** What an account gains by a batch, or what voids take back of what it gained by an earlier one. */
interface AccountSum {
  readonly account: Account;
  amount: bigint;
  readonly countedIn?: number;
}

function groupByDay(increments: readonly OutboxIncrement[]): Iterable<DayOfMeter> {
  const groups = new Map<string, Map<Day, DayGroup>>();
  const found: DayOfMeter[] = [];
  for (const increment of increments) {
    const { meter, day } = increment;
    let days = groups.get(meter);
    if (!days) groups.set(meter, (days = new Map<Day, DayGroup>()));
    let group = days.get(day);
    if (!group) {
      days.set(day, (group = { meter, day, increments: [] }));
      found.push(group);
    }
    group.increments.push(increment);
  }
  return found;
}

/** The organisation and architecture of an increment, absent where it has none. */
function accountNames({ org, arch }: { readonly org?: string; readonly arch?: string }) {
  return { ...(org !== undefined && { org }), ...(arch !== undefined && { arch }) };
}

function sumAccounts({ meter, day, increments }: DayOfMeter): Iterable<AccountSum> {
  const sums = new Map<string | undefined, Map<string | undefined, AccountSum>>();
  const voids = new Map<string, AccountSum>();
  const found: AccountSum[] = [];
  for (const { dimensions, quantity, countedIn } of increments) {
    const account = { meter, day, ...accountNames(dimensions) };
    if (quantity < 0n) {
      const key = `${countedIn ?? ''} ${accountKey(dimensions)}`;
      const sum = voids.get(key);
      if (sum) sum.amount += quantity;
      else voids.set(key, { account, amount: quantity, ...(countedIn !== undefined && { countedIn }) });
      continue;
    }
    const { org, arch } = dimensions;
    let ofOrganisation = sums.get(org);
    if (!ofOrganisation) sums.set(org, (ofOrganisation = new Map<string | undefined, AccountSum>()));
    const sum = ofOrganisation.get(arch);
    if (sum) {
      sum.amount += quantity;
      continue;
    }
    const added: AccountSum = { account, amount: quantity };
    ofOrganisation.set(arch, added);
    found.push(added);
  }
  // Behind what the same batch adds: an event may come together with its void.
  return [...found, ...voids.values()];
}

/** The keys that hold the accounts of a meter on a day, and what a change of one of them touches. */
export function accountKeys(ledgerId: string, { meter, day }: { readonly meter: string; readonly day: Day }) {
  const ownDay = ownDayKey(ledgerId, meter, day);
  const ownMonth = ownMonthKey(ledgerId, meter, monthOf(day));
  const totals = totalsKey(meter);
  const change = (account: Account, amount: bigint): Omit<Change, 'batch'> => {
    if (!isWritable(account)) return { account, amount, hashes: [] };
    const own = [accountKey(account)];
    const fields = waveFieldsOf(account);
    // The day's and the architecture's fields, which come first, have no organisation in their names.
    const shared = account.arch === undefined ? 1 : 3;
    const hashes = [
      { key: totals, fields: fields.slice(shared) },
      { key: ownDay, fields: own },
      { key: ownMonth, fields: own },
    ];
    return { account, amount, hashes, shared: { key: totals, fields: fields.slice(0, shared) } };
  };
  return { ownDay, ownMonth, totals, change };
}

/** The hash that holds a meter's sums: Wave's for Wave's own meters alone, so that nothing foreign appears in it. */
export function totalsKey(meter: string): string {
  return waveMeters.includes(meter) ? waveHash : otherMetersHash;
}

/** A slash in a name, or a name that is empty, would make the name of a field read as another's. */
export function isWritable({ org, arch }: Account): boolean {
  return [org, arch].every((name) => name === undefined || (name !== '' && !name.includes('/')));
}

/** Adds what the increments of a day name to the sets of names. */
export function addNames(
  names: Map<string, Set<string>>,
  ledgerId: string,
  { meter, day, increments }: DayOfMeter,
): void {
  const set = (key: string) => {
    let members = names.get(key);
    if (!members) names.set(key, (members = new Set()));
    return members;
  };
  const date = formatDay(day);
  set(ownDaysKey(ledgerId, meter)).add(date);
  set(indexKey(meter, 'days')).add(date);
  for (const { dimensions } of increments) {
    if (!isWritable({ meter, day, ...accountNames(dimensions) })) continue;
    if (dimensions.org !== undefined) set(indexKey(meter, 'orgs')).add(dimensions.org);
    if (dimensions.arch !== undefined) set(indexKey(meter, 'archs')).add(dimensions.arch);
  }
}
