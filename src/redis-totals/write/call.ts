import { assert, TonnageError } from '../../base/index.ts';
import { formatDay } from '../../usage/index.ts';
import type { BatchId } from '../../store/index.ts';
import { parseBatchText } from '../batch-text.ts';
import { unfinishedRebuild } from '../unfinished-rebuild.ts';
import type { RedisReply } from '../../redis-link/index.ts';
import type { Account, Change, HashFields, TagBatch, TagRun } from './changes.ts';

const int64Max = 2n ** 63n - 1n;
const int64Min = -(2n ** 63n);

/** One call of a script: its keys, its arguments, and what the positions that it may answer stand for. */
export interface Call {
  readonly keys: readonly string[];
  readonly args: readonly string[];
  /** The field that a script calls by the number of its hash and its own. */
  field(hash: number, index: number): FieldId | undefined;
}

/** A hash's key and a field's name, told apart by a character that neither has. */
export type FieldId = string;

export function fieldId(key: string, field: string): FieldId {
  return `${key}\n${field}`;
}

/** What one shared field gets apart from all others. */
interface SharedSum {
  readonly key: string;
  readonly field: string;
  readonly amount: bigint;
}

/** Sums, members and single changes of one call, as the part of the scripts that reads them expects it. */
export interface Counts {
  readonly hashes: ReadonlyMap<string, ReadonlyMap<string, bigint>>;
  readonly names: ReadonlyMap<string, ReadonlySet<string>>;
  /** Changes that are made one by one. */
  readonly single: readonly Change[];
  /** Sums of shared fields that are made one by one: these fields are bad, or voids lower them. */
  readonly apart: readonly SharedSum[];
}

type Sums = Map<string, Map<string, bigint>>;

/**
 * Sums a run, field by field. A void, and a change of a `bad` field, stay single; the sum of a bad shared
 * field goes apart.
 */
export function sumRun(batches: readonly Pick<TagBatch, 'changes' | 'names'>[], bad: Set<FieldId>): Counts {
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
  if (bad.size > before) return sumRun(batches, bad);
  return { hashes: sums, names, single, apart: mergeShared(sums, shared, bad) };
}

/** Moves the sums of shared fields to the others, and answers those that must go apart. */
function mergeShared(hashes: Sums, shared: Sums, bad: ReadonlySet<FieldId>): readonly SharedSum[] {
  const apart: SharedSum[] = [];
  for (const [key, sums] of shared) {
    const all = hashes.get(key) ?? new Map<string, bigint>();
    for (const [field, amount] of sums) {
      if (amount < 0n || amount > int64Max || bad.has(fieldId(key, field))) apart.push({ key, field, amount });
      else if (amount !== 0n) all.set(field, amount);
    }
    hashes.set(key, all);
  }
  return apart.filter(({ amount }) => amount !== 0n);
}

/** A void is made alone: what its event would have added may have been rejected. */
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
/** What the counts of a call belong to. */
type CallOf = Pick<TagRun, 'numbersKey' | 'rejectedKey' | 'lackingKey' | 'missingKey' | 'own'> & {
  /** Named in entries of the list of rejected changes. */
  readonly ledgerId: string;
  readonly lastBatch: number;
};

/** A call with these counts. `head` are the arguments before them; fields of `own` hashes leave when they become 0. */
export function composeCall(of: CallOf, head: readonly string[], { hashes, names, single, apart }: Counts): Call {
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
  const singles = single.length + apart.length;
  const mayLack = of.lackingKey !== undefined && singles > 0;
  args.push(String(singles), mayLack ? '1' : '0', ...singleArguments(of, hashKeys, { single, apart }));
  // Declared only when needed: a Cluster that moves the slot asks to wait for keys that are not there.
  if (mayLack) keys.push(of.lackingKey);
  if (singles > 0) keys.push(of.missingKey, of.rejectedKey);
  const field = (hash: number, index: number) => {
    const [key, name] = [hashKeys[hash], blocks[hash]?.[index]];
    return key === undefined || name === undefined ? undefined : fieldId(key, name);
  };
  return { keys, args, field };
}

function singleArguments(
  { ledgerId, lastBatch }: CallOf,
  hashKeys: readonly string[],
  { single, apart }: Pick<Counts, 'single' | 'apart'>,
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
  const sums = apart.flatMap(({ key, field, amount }) => {
    const text = rejection({ ledger: ledgerId, batch: lastBatch, field }, amount);
    return [text, String(amount), '', '0', '1', placeOf(key), field, text];
  });
  return [...changes, ...sums];
}

/**
 * What a rejected change is remembered by until its events are voided: the batch in which they count, and the account or cell.
 * Empty for what is not remembered.
 */
function markOf({ batch, countedIn, amount, account: { meter, day }, hashes }: Change): string {
  const field = hashes.at(-1)?.fields[0];
  const counted = amount < 0n ? countedIn : batch;
  return counted === undefined || field === undefined ? '' : missingMark(counted, { meter, day }, field);
}

/** See `markOf`. `field`: the name of the account or cell in the ledger's own hash. */
function missingMark(batch: number, { meter, day }: Pick<Account, 'meter' | 'day'>, field: string): string {
  return `${batch} ${meter} ${formatDay(day)} ${field}`;
}

function namesOf({ account: { meter, day, org, arch } }: Change) {
  return { meter, day: formatDay(day), org: org ?? null, arch: arch ?? null };
}

/** An entry of the list of rejected changes. The quantity is a text, since JSON's numbers are doubles. */
function rejection(of: Readonly<Record<string, unknown>>, amount: bigint): string {
  return JSON.stringify({ ...of, quantity: String(amount) });
}

/** What a script has answered. */
export type Answer =
  | {
      readonly kind: 'applied';
      /** For each rejection, the field that caused it; empty for a change without a field. */
      readonly rejected: readonly string[];
    }
  | { readonly kind: 'changed' }
  | { readonly kind: 'duplicate' | 'kept'; readonly batch: BatchId }
  | { readonly kind: 'bad'; readonly fields: readonly FieldId[] };

/**
 * Reads a script's answer. Throws `store_invalid` where a key has another type than it must have, and `store_rebuilding`
 * where a rebuild was begun and not ended.
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

/** The error for the answer `type`: key, expected type, found type. */
export function wrongType([, key, expected, found]: readonly RedisReply[]): TonnageError {
  const message = `Key ${String(key)} in Redis must be a ${String(expected)}, but is a ${String(found)}`;
  return new TonnageError('store_invalid', message);
}

function badFields(positions: readonly RedisReply[], call: Call): readonly FieldId[] {
  const fields: FieldId[] = [];
  for (let i = 0; i + 1 < positions.length; i += 2) {
    const field = call.field(Number(positions[i]), Number(positions[i + 1]));
    assert(field !== undefined, 'a script names fields of its call');
    fields.push(field);
  }
  return fields;
}
