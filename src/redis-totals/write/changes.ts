import {
  accountKey,
  accountNames,
  dimensionRow,
  formatDay,
  monthOf,
  waveFieldsOf,
  waveMeters,
  type Day,
} from '../../usage/index.ts';
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

/** The fields of one hash to which a change is added. */
export interface HashFields {
  readonly key: string;
  readonly fields: readonly string[];
}

/** The account of a change, on one day. */
export interface Account {
  readonly meter: string;
  readonly day: Day;
  readonly org?: string;
  readonly arch?: string;
}

/**
 * An amount and the fields to which it is added: to all fields of `hashes` or to none. If to all, then also to each
 * field of `shared` that can take it. A change without `hashes` is rejected.
 */
export interface Change {
  readonly batch: number;
  readonly account: Account;
  readonly amount: bigint;
  /** For a void (a negative amount): the batch that counted the target, if it is known. */
  readonly countedIn?: number;
  /** The last one is a hash that only this ledger writes. Its one field is the name of the account or cell. */
  readonly hashes: readonly HashFields[];
  /** Fields that other organisations change too. If one of them is full, the rest of the change still applies. */
  readonly shared?: HashFields;
}

/** What one batch changes in the keys of one tag. */
export interface TagBatch extends BatchId {
  /** The previous batch that changed keys of this tag; number 0 if there was none. */
  readonly previous: BatchId;
  readonly changes: readonly Change[];
  /** New members by the key of the set. */
  readonly names: ReadonlyMap<string, ReadonlySet<string>>;
}

/** What consecutive batches change in the keys of one tag. */
export interface TagBatches {
  readonly numbersKey: string;
  readonly rejectedKey: string;
  /** Hash of what shared fields lack; absent for details, which have no shared fields. */
  readonly lackingKey?: string;
  /** Hash of the rejected changes whose events may still be voided. */
  readonly missingKey: string;
  /** Hashes that only this ledger writes. Their fields are deleted at 0. */
  readonly own: ReadonlySet<string>;
  readonly batches: readonly TagBatch[];
  /** The meter and day of the details; absent for the tag of Wave's hash. */
  readonly detail?: MeterDay;
}

/** Names a tag in messages. */
export function describeTag({ detail }: Pick<TagBatches, 'detail'>): string {
  return detail ? describeDetails(detail) : 'Redis';
}

export function describeDetails({ meter, day }: MeterDay): string {
  return `the details of ${meter} of ${formatDay(day)} in Redis`;
}

/** What the batches change in the tag of Wave's hash. Every batch changes it. */
export function mainBatches(ledgerId: string, batches: readonly OutboxBatch[]): TagBatches {
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

/** What the batches change in the details of each meter and day, from `detailsFrom` on. */
export function detailBatches(
  ledgerId: string,
  batches: readonly OutboxBatch[],
  detailsFrom: Day,
): readonly TagBatches[] {
  const byTag = new Map<string, TagBatches & { readonly batches: TagBatch[] }>();
  for (const { number, token, increments, touched } of batches) {
    for (const { meter, day, increments: ofDay } of groupByDay(increments)) {
      if (day < detailsFrom) continue;
      const tag = detailNumbersKey(meter, day);
      const key = detailKey(meter, day, ledgerId);
      let ofTag = byTag.get(tag);
      if (!ofTag) {
        const detail = { meter, day };
        const lists = {
          rejectedKey: detailRejectedKey(meter, day),
          missingKey: detailMissingKey(meter, day, ledgerId),
        };
        byTag.set(tag, (ofTag = { numbersKey: tag, ...lists, own: new Set([key]), batches: [], detail }));
      }
      const before = touched.find((one) => one.meter === meter && one.day === day);
      ofTag.batches.push({
        number,
        token,
        previous: before?.previous ?? noBatch,
        changes: ofDay.map((increment) => detailChange(number, key, increment)),
        names: new Map(),
      });
    }
  }
  return [...byTag.values()];
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

/** What a batch adds to an account, or what its voids take back of what an earlier batch (`countedIn`) added. */
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
  // Voids come last: a batch may hold an event and its void.
  return [...found, ...voids.values()];
}

/** The keys that hold the accounts of a meter on a day, and a function that makes the change of one account. */
export function accountKeys(ledgerId: string, { meter, day }: { readonly meter: string; readonly day: Day }) {
  const ownDay = ownDayKey(ledgerId, meter, day);
  const ownMonth = ownMonthKey(ledgerId, meter, monthOf(day));
  const totals = totalsKey(meter);
  const change = (account: Account, amount: bigint): Omit<Change, 'batch'> => {
    if (!isWritable(account)) return { account, amount, hashes: [] };
    const own = [accountKey(account)];
    const fields = waveFieldsOf(account);
    // The fields of the day and of the architecture come first. They have no organisation in their names.
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

/** The hash with a meter's sums. Wave's hash gets only Wave's meters, so that Wave finds no unknown field in it. */
export function totalsKey(meter: string): string {
  return waveMeters.includes(meter) ? waveHash : otherMetersHash;
}

/** False for an empty name and for a name with a slash: its field could be read as that of another account. */
export function isWritable({ org, arch }: Account): boolean {
  return [org, arch].every((name) => name === undefined || (name !== '' && !name.includes('/')));
}

/** Adds the day, organisations and architectures of increments to the sets of the index. */
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
