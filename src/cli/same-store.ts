import type { RemoteStore } from '../store/index.ts';

/** Whether two stores of totals are the same. `undefined` is the ledger file. */
export function isSameStore(one: RemoteStore | undefined, other: RemoteStore | undefined): boolean {
  if (!one || !other) return one === other;
  return one.name === other.name && one.places.some((place) => other.places.includes(place));
}
