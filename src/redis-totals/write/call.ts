import { assert, TonnageError } from '../../base/index.ts';
import { formatDay } from '../../usage/index.ts';
import type { BatchId } from '../../store/index.ts';
import { parseBatchText } from '../batch-text.ts';
import { unfinishedRebuild } from '../history-errors.ts';
import type { RedisReply } from '../../redis-link/index.ts';
import type { Account, Change, HashFields, TagBatch, TagBatches } from './changes.ts';

const int64Max = 2n ** 63n - 1n;
const int64Min = -(2n ** 63n);

/** One call of a script. */
export interface Call {
  readonly keys: readonly string[];
  readonly args: readonly string[];
  /** Translates a position in the script's answer: the index of a hash, and of a field of that hash, both from 0. */
  field(hash: number, index: number): FieldId | undefined;
}

/** A hash's key and a field's name, separated by a character that occurs in neither. */
export type FieldId = string;

export function fieldId(key: string, field: string): FieldId {
  return `${key}\n${field}`;
}

/** The amount of one shared field that is applied individually. */
interface SharedSum {
  readonly key: string;
  readonly field: string;
  readonly amount: bigint;
}

/** What one call writes, in the form that `readCounts` of the scripts expects. */
export interface Counts {
  /** Amounts by field, by the key of the hash. */
  readonly hashes: ReadonlyMap<string, ReadonlyMap<string, bigint>>;
  /** New members by the key of the set. */
  readonly names: ReadonlyMap<string, ReadonlySet<string>>;
  /** Changes that are applied individually. */
  readonly single: readonly Change[];
  /** Sums of shared fields that are applied individually: the field is bad, or the sum is negative or overflows. */
  readonly singleShared: readonly SharedSum[];
}

type Sums = Map<string, Map<string, bigint>>;

/**
 * Sums the changes of batches by field. Voids and changes of a bad field stay individual. Adds to `bad` each field
 * whose sum overflows 64 bits.
 */
export function sumBatches(batches: readonly Pick<TagBatch, 'changes' | 'names'>[], bad: Set<FieldId>): Counts {
  const sums: Sums = new Map();
  const shared: Sums = new Map();
  const names = new Map<string, Set<string>>();
  const single: Change[] = [];
  for (const batch of batches) {
    for (const change of batch.changes) {
      const isSingle = isVoid(change) || isBad(change, bad);
      if (isSingle) single.push(change);
      for (const fields of change.hashes) addTo(sums, fields, isSingle ? 0n : change.amount);
      if (!isSingle && change.shared) addTo(shared, change.shared, change.amount);
    }
    for (const [key, members] of batch.names) {
      const all = names.get(key) ?? new Set<string>();
      for (const member of members) all.add(member);
      names.set(key, all);
    }
  }
  const before = bad.size;
  for (const [key, fields] of sums) {
    for (const [field, sum] of fields) {
      if (sum > int64Max || sum < int64Min) bad.add(fieldId(key, field));
      else if (sum === 0n) fields.delete(field);
    }
  }
  if (bad.size > before) return sumBatches(batches, bad);
  return { hashes: sums, names, single, singleShared: mergeShared(sums, shared, bad) };
}

/** Moves the sums of shared fields to `hashes`. Returns those that must be applied individually. */
function mergeShared(hashes: Sums, shared: Sums, bad: ReadonlySet<FieldId>): readonly SharedSum[] {
  const singleShared: SharedSum[] = [];
  for (const [key, sums] of shared) {
    const all = hashes.get(key) ?? new Map<string, bigint>();
    for (const [field, amount] of sums) {
      if (amount < 0n || amount > int64Max || bad.has(fieldId(key, field))) singleShared.push({ key, field, amount });
      else if (amount !== 0n) all.set(field, amount);
    }
    hashes.set(key, all);
  }
  return singleShared.filter(({ amount }) => amount !== 0n);
}

/** A void is applied individually, because Redis may have rejected what its event added. */
function isVoid({ amount, countedIn }: Change): boolean {
  return amount < 0n && countedIn !== undefined;
}

function isBad({ hashes }: Change, bad: ReadonlySet<FieldId>): boolean {
  if (hashes.length === 0) return true;
  if (bad.size === 0) return false;
  return hashes.some(({ key, fields }) => fields.some((field) => bad.has(fieldId(key, field))));
}

function addTo(hashes: Sums, { key, fields }: HashFields, amount: bigint): void {
  let sums = hashes.get(key);
  if (!sums) hashes.set(key, (sums = new Map<string, bigint>()));
  for (const field of fields) sums.set(field, (sums.get(field) ?? 0n) + amount);
}
/** Keys and identity that a call needs next to its counts. */
type CallContext = Pick<TagBatches, 'numbersKey' | 'rejectedKey' | 'lackingKey' | 'missingKey' | 'own'> & {
  /** Written to entries of the list of rejected changes, as is `lastBatch`. */
  readonly ledgerId: string;
  readonly lastBatch: number;
};

/** Composes a call from its first arguments (`head`) and its counts. Fields of `own` hashes are deleted at 0. */
export function composeCall(
  of: CallContext,
  head: readonly string[],
  { hashes, names, single, singleShared }: Counts,
): Call {
  const keys = [of.numbersKey, ...hashes.keys(), ...names.keys()];
  const args = [...head, String(hashes.size), String(names.size)];
  const blocks: string[][] = [];
  for (const [key, sums] of hashes) {
    const fields = [...sums.keys()];
    blocks.push(fields);
    args.push(of.own.has(key) ? '1' : '0', String(fields.length));
    for (const field of fields) args.push(field);
    for (const amount of sums.values()) args.push(String(amount));
  }
  for (const members of names.values()) {
    args.push(String(members.size));
    for (const member of members) args.push(member);
  }
  const hashKeys = [...hashes.keys()];
  const singles = single.length + singleShared.length;
  const mayLack = of.lackingKey !== undefined && singles > 0;
  args.push(String(singles), mayLack ? '1' : '0', ...singleArguments(of, hashKeys, { single, singleShared }));
  // Declared only if needed: while a Cluster moves a slot, it answers TRYAGAIN for keys that do not exist.
  if (mayLack) keys.push(of.lackingKey);
  if (singles > 0) keys.push(of.missingKey, of.rejectedKey);
  const field = (hash: number, index: number) => {
    const [key, name] = [hashKeys[hash], blocks[hash]?.[index]];
    return key === undefined || name === undefined ? undefined : fieldId(key, name);
  };
  return { keys, args, field };
}

function singleArguments(
  { ledgerId, lastBatch }: CallContext,
  hashKeys: readonly string[],
  { single, singleShared }: Pick<Counts, 'single' | 'singleShared'>,
): readonly string[] {
  const order = new Map(hashKeys.map((key, index) => [key, String(index)]));
  const placeOf = (key: string) => order.get(key) ?? '';
  const changes = single.flatMap((change) => {
    const { batch, amount, hashes, shared } = change;
    const places = hashes.flatMap(({ key, fields }) => fields.flatMap((field) => [placeOf(key), field]));
    const rejected = { ledger: ledgerId, batch, ...namesOf(change) };
    const shares = shared?.fields.flatMap((field) => [
      placeOf(shared.key),
      field,
      rejection({ ...rejected, field }, amount),
    ]);
    const count = hashes.length === 0 ? -1 : places.length / 2;
    return [
      rejection(rejected, amount),
      String(amount),
      markOf(change),
      String(count),
      ...places,
      String(shared?.fields.length ?? 0),
      ...(shares ?? []),
    ];
  });
  const sums = singleShared.flatMap(({ key, field, amount }) => {
    const text = rejection({ ledger: ledgerId, batch: lastBatch, field }, amount);
    return [text, String(amount), '', '0', '1', placeOf(key), field, text];
  });
  return [...changes, ...sums];
}

/**
 * The field of the hash of rejected changes (`missingKey`) that belongs to a change: the batch that counted its events,
 * and the account or cell. Empty for a change that the hash does not keep.
 */
function markOf({ batch, countedIn, amount, account: { meter, day }, hashes }: Change): string {
  const field = hashes.at(-1)?.fields[0];
  const counted = amount < 0n ? countedIn : batch;
  return counted === undefined || field === undefined ? '' : missingMark(counted, { meter, day }, field);
}

/** `field`: the account or cell in the ledger's own hash. */
function missingMark(batch: number, { meter, day }: Pick<Account, 'meter' | 'day'>, field: string): string {
  return `${batch} ${meter} ${formatDay(day)} ${field}`;
}

function namesOf({ account: { meter, day, org, arch } }: Change) {
  return { meter, day: formatDay(day), org: org ?? null, arch: arch ?? null };
}

/** An entry of the list of rejected changes. The quantity is a string, because JSON's numbers are doubles. */
function rejection(of: Readonly<Record<string, unknown>>, amount: bigint): string {
  return JSON.stringify({ ...of, quantity: String(amount) });
}

/** The parsed answer of a script. */
export type Answer =
  | {
      readonly kind: 'applied';
      /** The field that caused each rejection; empty for a change without a field. */
      readonly rejected: readonly string[];
    }
  | { readonly kind: 'changed' }
  | { readonly kind: 'duplicate' | 'kept'; readonly batch: BatchId }
  | { readonly kind: 'bad'; readonly fields: readonly FieldId[] };

/**
 * Parses the answer of a script. Throws `store_invalid` if a key has the wrong type, and `store_rebuilding` if a
 * rebuild has not finished.
 */
export function parseAnswer(reply: RedisReply, call: Call): Answer {
  assert(typeof reply === 'object' && reply !== null, 'a script answers a list');
  const [kind, ...rest] = reply;
  switch (kind) {
    case 'applied':
      return { kind, rejected: rest.map(String) };
    case 'changed':
      return { kind };
    case 'duplicate':
    case 'kept': {
      const batch = parseBatchText(String(rest[0]));
      if (!batch) throw unfinishedRebuild();
      return { kind, batch };
    }
    case 'bad':
      return { kind, fields: badFields(rest, call) };
    case 'marked':
      throw unfinishedRebuild();
    case 'type':
      throw wrongType(reply);
    default:
      throw new Error(`BUG: a script answered ${String(kind)}`);
  }
}

/** The error for the answer `type`, which gives key, expected type and actual type. */
export function wrongType([, key, expected, found]: readonly RedisReply[]): TonnageError {
  const message = `Key ${String(key)} in Redis must be a ${String(expected)}, but is a ${String(found)}`;
  return new TonnageError('store_invalid', message);
}

function badFields(positions: readonly RedisReply[], call: Call): readonly FieldId[] {
  const fields: FieldId[] = [];
  for (let i = 0; i + 1 < positions.length; i += 2) {
    const field = call.field(Number(positions[i]), Number(positions[i + 1]));
    assert(field !== undefined, 'a script answers with fields of its call');
    fields.push(field);
  }
  return fields;
}
