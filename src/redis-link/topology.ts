import { isList } from './reply.ts';
import { slotCount } from './slot.ts';
import type { RedisAddress, RedisReply } from './types.ts';

/** A range of slots, both ends included, and the primary that serves it. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly primary: RedisAddress;
}

/**
 * Parses the reply to CLUSTER SLOTS: a list of `[first, last, [host, port, ...], replicas...]`.
 *
 * @param queriedHost the host of the queried node, for a primary that does not know its own address
 * @param natMap see `ClusterRedis`
 * @returns undefined if the reply has another form, or no slots
 */
export function readSlots(
  reply: RedisReply,
  queriedHost: string,
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
    const known = typeof host === 'string' && host !== '' && host !== '?' ? host : queriedHost;
    ranges.push({ first, last, primary: translated({ host: known, port }, natMap) });
  }
  return ranges;
}

/** The address to dial for an address that the Cluster announces. */
export function translated(address: RedisAddress, natMap: Readonly<Record<string, RedisAddress>> = {}): RedisAddress {
  return natMap[`${address.host}:${address.port}`] ?? address;
}

function isSlot(value: RedisReply | undefined): value is number {
  return typeof value === 'number' && value >= 0 && value < slotCount;
}
