import { formatDay, type Day, type Increment } from '../../../usage/index.ts';
import type { RedisLink } from '../../../redis-link/index.ts';

/** The contents of Redis: the fields of each hash and the members of each set or list, without fields that are 0. */
export type State = Readonly<Record<string, Readonly<Record<string, string>> | readonly string[]>>;

/** Increments of one ledger. */
export interface LedgerIncrements {
  readonly ledgerId: string;
  readonly increments: readonly Increment[];
}

const waveMeters = new Set(['builds', 'pulls', 'fusion', 'mirrors', 'scans']);

/**
 * The sums that Redis must have after these increments, by plain addition; without numbers of batches and names.
 * Written from the description of the layout, not from the code under test.
 */
export function expectedSums(ledgers: readonly LedgerIncrements[], detailsFrom: Day = 0): State {
  const sums = new Map<string, Map<string, bigint>>();
  const add = (key: string, field: string, amount: bigint) => {
    const fields = sums.get(key) ?? new Map<string, bigint>();
    sums.set(key, fields.set(field, (fields.get(field) ?? 0n) + amount));
  };
  for (const { ledgerId, increments } of ledgers) {
    for (const { meter, day, dimensions, quantity } of increments) {
      const { org, arch, upstream, repository, tag, outcome, user, client } = dimensions;
      const date = formatDay(day);
      const names: readonly (string | undefined)[] = [
        `${meter}/d/${date}`,
        arch && `${meter}/a/${arch}/d/${date}`,
        arch && `${meter}/a/${arch}`,
        org && `${meter}/o/${org}`,
        org && `${meter}/o/${org}/d/${date}`,
        org && arch && `${meter}/o/${org}/a/${arch}`,
        org && arch && `${meter}/o/${org}/a/${arch}/d/${date}`,
      ];
      const hash = waveMeters.has(meter) ? 'metrics/v1' : '{metrics/v1}:others';
      for (const name of names) if (name !== undefined) add(hash, name, quantity);
      const account = JSON.stringify([org ?? null, arch ?? null]);
      add(`{metrics/v1}:own:${ledgerId}:day:${meter}:${date}`, account, quantity);
      add(`{metrics/v1}:own:${ledgerId}:month:${meter}:${date.slice(0, 7)}`, account, quantity);
      if (day < detailsFrom) continue;
      const cell: (string | undefined)[] = [org, arch, upstream, repository, tag, outcome, user, client];
      while (cell.length > 0 && cell.at(-1) === undefined) cell.pop();
      add(`{tonnage/${meter}/${date}}:cells:${ledgerId}`, JSON.stringify(cell.map((value) => value ?? null)), quantity);
    }
  }
  return Object.fromEntries(
    [...sums].flatMap(([key, fields]) => {
      const kept = [...fields].filter(([, sum]) => sum !== 0n).map(([field, sum]) => [field, String(sum)] as const);
      return kept.length === 0 ? [] : [[key, Object.fromEntries(kept)]];
    }),
  );
}

/** Reads all of Redis. In a Cluster it reads one node: the one that answers `KEYS`. */
export async function readState(link: RedisLink): Promise<State> {
  const state: Record<string, Readonly<Record<string, string>> | readonly string[]> = {};
  for (const key of list(await link.send({ args: ['KEYS', '*'] }))) state[key] = await readKey(link, key);
  return Object.fromEntries(Object.entries(state).filter(([, value]) => Object.keys(value).length > 0));
}

async function readKey(link: RedisLink, key: string): Promise<Readonly<Record<string, string>> | readonly string[]> {
  const type = String(await link.send({ key, args: ['TYPE', key] }));
  if (type === 'set') return list(await link.send({ key, args: ['SMEMBERS', key] })).toSorted();
  if (type === 'list') return list(await link.send({ key, args: ['LRANGE', key, '0', '-1'] }));
  if (type !== 'hash') throw new Error(`${key} is a ${type}`);
  const flat = list(await link.send({ key, args: ['HGETALL', key] }));
  const fields = flat.flatMap((field, i) => (i % 2 === 0 ? [[field, flat[i + 1] ?? ''] as const] : []));
  return Object.fromEntries(fields.filter(([, value]) => value !== '0'));
}

function list(reply: unknown): readonly string[] {
  return Array.isArray(reply) ? reply.map(String) : [];
}

/** The sums of a state, without numbers, names and rejected changes. */
export function sumsOf(state: State): State {
  const isSum = (key: string) => /^metrics\/v1$|:others$|:own:[^:]+:(day|month):|:cells:/.test(key);
  return Object.fromEntries(Object.entries(state).filter(([key]) => isSum(key)));
}

/** Reads the sums of these keys. Works in a Cluster, where `KEYS` covers one node only. */
export async function readSums(link: RedisLink, keys: readonly string[]): Promise<State> {
  const found = await Promise.all(keys.map(async (key) => [key, await readKeyIfThere(link, key)] as const));
  return Object.fromEntries(found.filter(([, value]) => Object.keys(value).length > 0));
}

async function readKeyIfThere(link: RedisLink, key: string) {
  const isThere = (await link.send({ key, args: ['EXISTS', key] })) === 1;
  return isThere ? readKey(link, key) : {};
}
