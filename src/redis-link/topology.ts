import { isList } from './reply.ts';
import { slotCount } from './slot.ts';
import type { RedisAddress, RedisReply } from './types.ts';

/** Which primary serves which slots, both ends included. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly primary: RedisAddress;
}

/**
 * Reads the answer of CLUSTER SLOTS: `[first, last, [host, port, ...], replicas...]` each.
 *
 * @param asked the host that was asked, which is meant where a node does not know its own address
 * @param natMap see `ClusterRedis`
 * @returns undefined when it is no such answer, or knows of no slot
 */
export function readSlots(
  reply: RedisReply,
  asked: string,
  natMap: Readonly<Record<string, RedisAddress>> = {},
): readonly SlotRange[] | undefined {
  if (!isList(reply) || reply.length === 0) return undefined;
  const ranges: SlotRange[] = [];
  for (const entry of reply) {
    if (!isList(entry)) return undefined;
    const [first, last, primary] = entry;
    if (!isSlot(first) || !isSlot(last) || !isList(primary)) return undefined;
    const [host, port] = primary;
    if (typeof port !== 'number') return undefined;
    const known = typeof host === 'string' && host !== '' && host !== '?' ? host : asked;
    ranges.push({ first, last, primary: translated({ host: known, port }, natMap) });
  }
  return ranges;
}

/** The address to dial for one that the Cluster has announced. */
export function translated(address: RedisAddress, natMap: Readonly<Record<string, RedisAddress>> = {}): RedisAddress {
  return natMap[`${address.host}:${address.port}`] ?? address;
}

function isSlot(value: RedisReply | undefined): value is number {
  return typeof value === 'number' && value >= 0 && value < slotCount;
}
