import type { RemoteStore } from '../store/index.ts';

/** Whether two configurations keep their totals in the same place; `undefined` stands for the ledger file. */
export function isSameStore(one: RemoteStore | undefined, other: RemoteStore | undefined): boolean {
  if (!one || !other) return one === other;
  return one.name === other.name && one.places.some((place) => other.places.includes(place));
}
