import { assert } from '../base/index.ts';

/** Hash slots of a Cluster (Redis Cluster specification, "Key distribution model"). */
export const slotCount = 16_384;

/** CRC-16/XMODEM, as the specification requires: polynomial 0x1021, initial value 0, no reflection. */
const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc;
});

function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) crc = ((crc << 8) ^ (table[((crc >> 8) ^ byte) & 0xff] ?? 0)) & 0xffff;
  return crc;
}

/** The slot of a key: the hash of its tag, or of the whole key if it has no tag or an empty one. */
export function slotOf(key: string): number {
  const open = key.indexOf('{');
  const close = open < 0 ? -1 : key.indexOf('}', open + 1);
  const hashed = close > open + 1 ? key.slice(open + 1, close) : key;
  return crc16(Buffer.from(hashed)) % slotCount;
}

/** The common slot of keys. Asserts that there is one, because only a Cluster would reject keys of several slots. */
export function oneSlotOf(keys: readonly string[]): number {
  const [first, ...rest] = keys;
  assert(first !== undefined, 'a script has at least one key, which decides its node');
  const slot = slotOf(first);
  for (const key of rest) assert(slotOf(key) === slot, `${first} and ${key} have the same slot`);
  return slot;
}
