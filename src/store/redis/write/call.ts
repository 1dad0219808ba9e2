import { assert, TonnageError } from '../../../base/index.ts';
import { formatDay } from '../../../usage/index.ts';
import type { RedisReply } from '../link/types.ts';
import type { Change, TagBatch, TagRun } from './changes.ts';

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

/** Sums, members and single changes of one call, as the part of the scripts that reads them expects it. */
export interface Counts {
  readonly hashes: ReadonlyMap<string, ReadonlyMap<string, bigint>>;
  readonly names: ReadonlyMap<string, ReadonlySet<string>>;
  /** Changes that are made one by one. */
  readonly single: readonly Change[];
}

/** Sums a run, field by field, but for changes that touch one of the `bad` fields: these stay single. */
export function sumRun(batches: readonly TagBatch[], bad: Set<FieldId>): Counts {
  const hashes = new Map<string, Map<string, bigint>>();
  const names = new Map<string, Set<string>>();
  const single: Change[] = [];
  for (const batch of batches) {
    for (const change of batch.changes) {
      if (isBad(change, bad)) single.push(change);
      addChange(hashes, change, isBad(change, bad) ? 0n : change.amount);
    }
    for (const [key, members] of batch.names) {
      const all = names.get(key) ?? new Set<string>();
      for (const member of members) all.add(member);
      names.set(key, all);
    }
  }
  const before = bad.size;
  for (const [key, sums] of hashes) {
    for (const [field, sum] of sums) {
      if (sum > int64Max || sum < int64Min) bad.add(fieldId(key, field));
      else if (sum === 0n) sums.delete(field);
    }
  }
  return bad.size > before ? sumRun(batches, bad) : { hashes, names, single };
}

function isBad({ targets }: Change, bad: ReadonlySet<FieldId>): boolean {
  if (targets.length === 0) return true;
  if (bad.size === 0) return false;
  return targets.some(({ key, fields }) => fields.some((field) => bad.has(fieldId(key, field))));
}

function addChange(hashes: Map<string, Map<string, bigint>>, { targets }: Change, amount: bigint): void {
  for (const { key, fields } of targets) {
    let sums = hashes.get(key);
    if (!sums) hashes.set(key, (sums = new Map<string, bigint>()));
    for (const field of fields) sums.set(field, (sums.get(field) ?? 0n) + amount);
  }
}

/**
 * A call with these counts. `head` are the arguments before them, `ledgerId` is told with what is rejected, `own` are the
 * hashes whose fields leave when they become 0.
 */
export function composeCall(
  run: Pick<TagRun, 'numbersKey' | 'rejectedKey' | 'own'>,
  ledgerId: string,
  head: readonly string[],
  { hashes, names, single }: Counts,
): Call {
  const keys = [run.numbersKey, ...hashes.keys(), ...names.keys()];
  const args = [...head, String(hashes.size), String(names.size)];
  const blocks: string[][] = [];
  for (const [key, sums] of hashes) {
    const fields = [...sums.keys()];
    blocks.push(fields);
    args.push(run.own.has(key) ? '1' : '0', String(fields.length));
    for (const field of fields) args.push(field);
    for (const amount of sums.values()) args.push(String(amount));
  }
  for (const members of names.values()) {
    args.push(String(members.size));
    for (const member of members) args.push(member);
  }
  args.push(String(single.length));
  const order = new Map([...hashes.keys()].map((key, index) => [key, String(index)]));
  for (const change of single) {
    const places = change.targets.flatMap(({ key, fields }) =>
      fields.flatMap((field) => [order.get(key) ?? '', field]),
    );
    args.push(rejection(ledgerId, change), String(change.amount), String(places.length / 2), ...places);
  }
  // Declared only when needed: a Cluster that moves the slot asks to wait for keys that are not there.
  if (single.length > 0) keys.push(run.rejectedKey);
  const hashKeys = [...hashes.keys()];
  const field = (hash: number, index: number) => {
    const [key, name] = [hashKeys[hash], blocks[hash]?.[index]];
    return key === undefined || name === undefined ? undefined : fieldId(key, name);
  };
  return { keys, args, field };
}

/** The text that stands in the list of rejected changes. The quantity is a text, since JSON's numbers are doubles. */
function rejection(ledger: string, { batch, account: { meter, day, org, arch }, amount }: Change): string {
  const names = { org: org ?? null, arch: arch ?? null };
  return JSON.stringify({ ledger, batch, meter, day: formatDay(day), ...names, quantity: String(amount) });
}

/** What a script has answered. */
export type Answer =
  | { readonly kind: 'applied'; readonly rejected: number }
  | { readonly kind: 'duplicate' | 'changed' }
  | { readonly kind: 'kept'; readonly number: number }
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
      return { kind, rejected: Number(rest[0]) };
    case 'duplicate':
    case 'changed':
      return { kind };
    case 'kept':
      return { kind, number: Number(rest[0]) };
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

/** The error of whoever would write, or ask for the position, while a rebuild is not finished. */
export function unfinishedRebuild(): TonnageError {
  return new TonnageError(
    'store_rebuilding',
    'A rebuild of this ledger in Redis was begun and has not ended; run `tonnage ledger rebuild` once more',
  );
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
