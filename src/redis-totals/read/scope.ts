import { parseDay, waveMeters, type Day } from '../../usage/index.ts';
import { foreignDaysKey, importKey, indexKey, numbersKey, ownDaysKey } from '../layout.ts';
import type { Names } from './wave-cells.ts';
import { listOf, textOf } from '../reply.ts';
import type { Reads } from './reads.ts';

/** The days with counts of one meter. */
export interface Scope {
  readonly meter: string;
  /** The days of each ledger, by ledger id. */
  readonly own: ReadonlyMap<string, readonly Day[]>;
  /** The size of the set of each ledger's days. */
  readonly ownSizes: ReadonlyMap<string, number>;
  /** Days with counts that no ledger has made. */
  readonly foreign: ReadonlySet<Day>;
  /** The first and the last day of all; absent if there are none. */
  readonly first?: Day;
  readonly last?: Day;
  /** When the last complete lookup of names in Wave's hash began, in milliseconds since the Unix epoch. */
  readonly indexedAt?: number;
}

/** Whether the counts of a meter are in Wave's hash. */
export function isWaveMeter(meter: string): boolean {
  return waveMeters.includes(meter);
}

/** Reads the days of a meter. */
export async function readScope(reads: Reads, meter: string): Promise<Scope> {
  const [ids, indexed] = await reads.commands([
    { key: numbersKey, args: ['HKEYS', numbersKey] },
    { key: importKey, args: ['HGET', importKey, 'indexedAt'] },
  ]);
  const ledgerIds = listOf(ids).map(textOf);
  const [foreign = [], ...own] = await reads.members([
    foreignDaysKey(meter),
    ...ledgerIds.map((ledgerId) => ownDaysKey(ledgerId, meter)),
  ]);
  const ownDays = new Map(ledgerIds.map((ledgerId, index) => [ledgerId, daysOf(own[index] ?? [])]));
  const foreignDays = isWaveMeter(meter) ? daysOf(foreign) : [];
  const all = [...foreignDays, ...[...ownDays.values()].flat()].toSorted((a, b) => a - b);
  const [first, last] = [all[0], all.at(-1)];
  return {
    meter,
    own: ownDays,
    ownSizes: new Map(ledgerIds.map((ledgerId, index) => [ledgerId, own[index]?.length ?? 0])),
    foreign: new Set(foreignDays),
    ...(first !== undefined && { first }),
    ...(last !== undefined && { last }),
    ...(typeof indexed === 'string' && { indexedAt: Number(indexed) }),
  };
}

/** Whether a known ledger has counted on new days since `scope` was read. */
export async function hasGrown(reads: Reads, { meter, ownSizes }: Scope): Promise<boolean> {
  const ledgerIds = [...ownSizes.keys()];
  if (ledgerIds.length === 0) return false;
  const keys = ledgerIds.map((ledgerId) => ownDaysKey(ledgerId, meter));
  const sizes = await reads.commands(keys.map((key) => ({ key, args: ['SCARD', key] })));
  return ledgerIds.some((ledgerId, index) => sizes[index] !== ownSizes.get(ledgerId));
}

/** Reads the names of a meter from the index, of the kinds that are `needed`. */
export async function readNames(
  reads: Reads,
  meter: string,
  needed: { readonly orgs: boolean; readonly archs: boolean },
): Promise<Names> {
  const kinds = (['orgs', 'archs'] as const).filter((kind) => needed[kind]);
  const found = await reads.members(kinds.map((kind) => indexKey(meter, kind)));
  const namesOf = (kind: 'orgs' | 'archs'): readonly string[] => found[kinds.indexOf(kind)] ?? [];
  return { orgs: namesOf('orgs'), archs: namesOf('archs') };
}

function daysOf(texts: readonly string[]): readonly Day[] {
  return texts.flatMap((text) => parseDay(text) ?? []);
}
