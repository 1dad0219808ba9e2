import { expect, test } from 'vitest';
import { sipHash128 } from './sip-hash.ts';

/** The key of the reference: bytes 0 to 15. */
const key = new Uint32Array(Uint8Array.from({ length: 16 }, (_, index) => index).buffer);

function hash(bytes: Uint8Array): string {
  const out = new Uint32Array(4);
  sipHash128(key, bytes, out, 0);
  return Buffer.from(out.buffer).toString('hex');
}

/** Vectors of the reference code: the message is the bytes 0, 1, 2... */
test.each([
  [0, 'a3817f04ba25a8e66df67214c7550293'],
  [1, 'da87c1d86b99af44347659119b22fc45'],
  [7, 'a1f1ebbed8dbc153c0b84aa61ff08239'],
  [8, '3b62a9ba6258f5610f83e264f31497b4'],
  [15, '5493e99933b0a8117e08ec0f97cfc3d9'],
  [63, '5150d1772f50834a503e069a973fbd7c'],
])('of %i bytes is that of the reference', (length, expected) => {
  expect(hash(Uint8Array.from({ length }, (_, index) => index))).toBe(expected);
});

test('different texts of one length have different hashes', () => {
  const texts = Array.from({ length: 20_000 }, (_, index) => `event-${String(index).padStart(6, '0')}`);
  expect(new Set(texts.map((text) => hash(Buffer.from(text)))).size).toBe(20_000);
});
