/** Words of the initial state ("somepseudorandomlygeneratedbytes"), low half first. */
const initial = [
  0x70736575, 0x736f6d65, 0x6e646f6d, 0x646f7261, 0x6e657261, 0x6c796765, 0x79746573, 0x74656462,
] as const;

/** The four 64-bit words of the state, each as its low and its high half. Reused, since hashing never waits. */
const state = new Uint32Array(8);

/**
 * SipHash-2-4 with 128 bits (Aumasson and Bernstein; the 128-bit variant of their reference code) of `bytes` under a key of
 * four 32-bit words, written to `out[offset..offset + 4)`. Only ledgers with hash version 1 need it. Remove this file
 * together with support for that version.
 */
export function sipHash128(key: Uint32Array, bytes: Uint8Array, out: Uint32Array, offset: number): void {
  for (const [index, word] of initial.entries()) state[index] = word ^ (key[index % 4] ?? 0);
  xor(2, 0xee);
  // The last block is filled with zeros and ends with the low 8 bits of the length.
  const blocks = new Uint8Array(8 * (Math.floor(bytes.length / 8) + 1));
  blocks.set(bytes);
  blocks[blocks.length - 1] = bytes.length;
  const words = new Uint32Array(blocks.buffer);
  for (let at = 0; at < words.length; at += 2) {
    const [low = 0, high = 0] = [words[at], words[at + 1]];
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

function xor(at: number, word: number): void {
  state[at] = (state[at] ?? 0) ^ word;
}

/** Adds the 64-bit word at `from` to the one at `to`. */
function add(to: number, from: number): void {
  const sum = (state[to] ?? 0) + (state[from] ?? 0);
  state[to] = sum;
  state[to + 1] = (state[to + 1] ?? 0) + (state[from + 1] ?? 0) + (sum > 0xffff_ffff ? 1 : 0);
}

/** Rotates the 64-bit word at `at` left by `bits` (below 32), then combines it with the one at `from` (exclusive or). */
function rotate(at: number, bits: number, from: number): void {
  const [low, high] = [state[at] ?? 0, state[at + 1] ?? 0];
  state[at] = ((low << bits) | (high >>> (32 - bits))) ^ (state[from] ?? 0);
  state[at + 1] = ((high << bits) | (low >>> (32 - bits))) ^ (state[from + 1] ?? 0);
}

/** Rotates the 64-bit word at `at` by 32 bits. */
function swap(at: number): void {
  const low = state[at] ?? 0;
  state[at] = state[at + 1] ?? 0;
  state[at + 1] = low;
}

function squeeze(out: Uint32Array, offset: number): void {
  const [v0 = 0, v0h = 0, v1 = 0, v1h = 0, v2 = 0, v2h = 0, v3 = 0, v3h = 0] = state;
  out[offset] = v0 ^ v1 ^ v2 ^ v3;
  out[offset + 1] = v0h ^ v1h ^ v2h ^ v3h;
}
