/** Words of the initial state ("somepseudorandomlygeneratedbytes"), low half first. */
const initial = [
  0x70736575, 0x736f6d65, 0x6e646f6d, 0x646f7261, 0x6e657261, 0x6c796765, 0x79746573, 0x74656462,
] as const;

/** The four 64-bit words of the state, each as its low and its high half. All calls share it: each is synchronous. */
const state = new Uint32Array(8);

/**
 * SipHash-2-4 with 128 bits (Aumasson and Bernstein; the 128-bit variant of their reference code) of `bytes` under a
 * key of four 32-bit words, written to `out[offset..offset + 4)`. The typed arrays must be little-endian, as on x64 and
 * arm64. Only ledgers with hash version 1 need it. Remove this file together with support for that version.
 */
export function sipHash128(key: Uint32Array, bytes: Uint8Array, out: Uint32Array, offset: number): void {
  for (let index = 0; index < 8; index++) state[index] = (initial[index] ?? 0) ^ (key[index % 4] ?? 0);
  xor(2, 0xee);
  // The last block is filled with zeros and ends with the low 8 bits of the length.
  const blocks = new Uint8Array(8 * (Math.floor(bytes.length / 8) + 1));
  blocks.set(bytes);
  blocks[blocks.length - 1] = bytes.length;
  const words = new Uint32Array(blocks.buffer);
  for (let at = 0; at < words.length; at += 2) {
    const low = words[at] ?? 0;
    const high = words[at + 1] ?? 0;
    xor(6, low);
    xor(7, high);
    rounds(2);
    xor(0, low);
    xor(1, high);
  }
  xor(4, 0xee);
  rounds(4);
  squeeze(out, offset);
  xor(2, 0xdd);
  rounds(4);
  squeeze(out, offset + 2);
}

function rounds(count: number): void {
  for (let round = 0; round < count; round++) {
    add(0, 2);
    rotate(2, 13, 0);
    swap(0);
    add(4, 6);
    rotate(6, 16, 4);
    add(0, 6);
    rotate(6, 21, 0);
    add(4, 2);
    rotate(2, 17, 4);
    swap(4);
  }
}

function half(at: number): number {
  return state[at] ?? 0;
}

function xor(at: number, word: number): void {
  state[at] = half(at) ^ word;
}

/** Adds the 64-bit word at `from` to the one at `to`. */
function add(to: number, from: number): void {
  const sum = half(to) + half(from);
  state[to] = sum;
  state[to + 1] = half(to + 1) + half(from + 1) + (sum > 0xffff_ffff ? 1 : 0);
}

/** Rotates the 64-bit word at `at` left by `bits` (below 32), then applies exclusive or with the one at `from`. */
function rotate(at: number, bits: number, from: number): void {
  const low = half(at);
  const high = half(at + 1);
  state[at] = ((low << bits) | (high >>> (32 - bits))) ^ half(from);
  state[at + 1] = ((high << bits) | (low >>> (32 - bits))) ^ half(from + 1);
}

/** Rotates the 64-bit word at `at` by 32 bits. */
function swap(at: number): void {
  const low = half(at);
  state[at] = half(at + 1);
  state[at + 1] = low;
}

/** Combines the four words of the state into one (exclusive or). */
function squeeze(out: Uint32Array, offset: number): void {
  out[offset] = half(0) ^ half(2) ^ half(4) ^ half(6);
  out[offset + 1] = half(1) ^ half(3) ^ half(5) ^ half(7);
}
