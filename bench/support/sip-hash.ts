/** Words of the initial state ("somepseudorandomlygeneratedbytes"), low half first. */
const initial = [
  0x70736575, 0x736f6d65, 0x6e646f6d, 0x646f7261, 0x6e657261, 0x6c796765, 0x79746573, 0x74656462,
] as const;

/** The eight halves of the four 64-bit words of SipHash's state: reused, since hashing never waits in between. */
const state = new Int32Array(8);

/**
 * SipHash-2-4 with 128 bits (Aumasson and Bernstein; the 128-bit variant of their reference code) of a text under a
 * key of four 32-bit words, written to `out[offset..offset + 4)`. `width`: bytes of each character, 1 or 2; answers
 * whether all characters had room in them. More than twice as fast here as the fastest hash of node:crypto, whose
 * calls cost more than the hashing.
 */
export function sipHash128(key: Uint32Array, text: string, width: 1 | 2, out: Uint32Array, offset: number): boolean {
  const k0 = key[0] ?? 0;
  const k1 = key[1] ?? 0;
  const k2 = key[2] ?? 0;
  const k3 = key[3] ?? 0;
  state[0] = initial[0] ^ k0;
  state[1] = initial[1] ^ k1;
  state[2] = initial[2] ^ k2 ^ 0xee;
  state[3] = initial[3] ^ k3;
  state[4] = initial[4] ^ k0;
  state[5] = initial[5] ^ k1;
  state[6] = initial[6] ^ k2;
  state[7] = initial[7] ^ k3;
  if (!absorb(text, width)) return false;
  state[4] = (state[4] ?? 0) ^ 0xee;
  rounds(4, 0, 0);
  squeeze(out, offset);
  state[2] = (state[2] ?? 0) ^ 0xdd;
  rounds(4, 0, 0);
  squeeze(out, offset + 2);
  return true;
}

/** Takes the text in, eight bytes at a time, the last ones filled with zeros and the length in bytes (its low 8 bits). */
function absorb(text: string, width: 1 | 2): boolean {
  const perHalf = 4 / width;
  const shift = 8 * width;
  const most = width === 1 ? 0xff : 0xffff;
  const length = text.length;
  const words = Math.floor(length / (2 * perHalf)) + 1;
  let at = 0;
  for (let word = 0; word < words; word++) {
    let low = 0;
    let high = 0;
    for (let index = 0; index < perHalf; index++, at++) {
      const code = at < length ? text.charCodeAt(at) : 0;
      if (code > most) return false;
      low |= code << (shift * index);
    }
    for (let index = 0; index < perHalf; index++, at++) {
      const code = at < length ? text.charCodeAt(at) : 0;
      if (code > most) return false;
      high |= code << (shift * index);
    }
    if (word === words - 1) high |= (length * width) << 24;
    state[7] = (state[7] ?? 0) ^ high;
    state[6] = (state[6] ?? 0) ^ low;
    rounds(2, low, high);
  }
  return true;
}

/** `count` SipRounds, then the message word into the first word of the state. */
function rounds(count: number, low: number, high: number): void {
  let v0 = state[0] ?? 0;
  let v0h = state[1] ?? 0;
  let v1 = state[2] ?? 0;
  let v1h = state[3] ?? 0;
  let v2 = state[4] ?? 0;
  let v2h = state[5] ?? 0;
  let v3 = state[6] ?? 0;
  let v3h = state[7] ?? 0;
  let sum = 0;
  let half = 0;
  for (let round = 0; round < count; round++) {
    sum = (v0 >>> 0) + (v1 >>> 0);
    v0h = (v0h + v1h + (sum > 0xffff_ffff ? 1 : 0)) | 0;
    v0 = sum | 0;
    half = v1;
    v1 = ((v1 << 13) | (v1h >>> 19)) ^ v0;
    v1h = ((v1h << 13) | (half >>> 19)) ^ v0h;
    half = v0;
    v0 = v0h;
    v0h = half;
    sum = (v2 >>> 0) + (v3 >>> 0);
    v2h = (v2h + v3h + (sum > 0xffff_ffff ? 1 : 0)) | 0;
    v2 = sum | 0;
    half = v3;
    v3 = ((v3 << 16) | (v3h >>> 16)) ^ v2;
    v3h = ((v3h << 16) | (half >>> 16)) ^ v2h;
    sum = (v0 >>> 0) + (v3 >>> 0);
    v0h = (v0h + v3h + (sum > 0xffff_ffff ? 1 : 0)) | 0;
    v0 = sum | 0;
    half = v3;
    v3 = ((v3 << 21) | (v3h >>> 11)) ^ v0;
    v3h = ((v3h << 21) | (half >>> 11)) ^ v0h;
    sum = (v2 >>> 0) + (v1 >>> 0);
    v2h = (v2h + v1h + (sum > 0xffff_ffff ? 1 : 0)) | 0;
    v2 = sum | 0;
    half = v1;
    v1 = ((v1 << 17) | (v1h >>> 15)) ^ v2;
    v1h = ((v1h << 17) | (half >>> 15)) ^ v2h;
    half = v2;
    v2 = v2h;
    v2h = half;
  }
  state[0] = v0 ^ low;
  state[1] = v0h ^ high;
  state[2] = v1;
  state[3] = v1h;
  state[4] = v2;
  state[5] = v2h;
  state[6] = v3;
  state[7] = v3h;
}

function squeeze(out: Uint32Array, offset: number): void {
  out[offset] = (state[0] ?? 0) ^ (state[2] ?? 0) ^ (state[4] ?? 0) ^ (state[6] ?? 0);
  out[offset + 1] = (state[1] ?? 0) ^ (state[3] ?? 0) ^ (state[5] ?? 0) ^ (state[7] ?? 0);
}
