import { createHmac } from 'node:crypto';
import { limits } from '../base/index.ts';
import type { EventIdentity } from '../usage/index.ts';
import { sipHash128 } from './sip-hash.ts';

/** 32-bit words of a key. */
export const keyWords = 4;

/** Two SipHash keys: ids of characters up to U+00FF are hashed as bytes, others as UTF-16, and so never meet. */
interface SourceKey {
  readonly bytes: Uint32Array;
  readonly utf16: Uint32Array;
}

/**
 * Turns identities of events into keys of 128 bits. Each pair of tenant and source has a SipHash key of its own, derived
 * by HMAC from the ledger's secret, so that ("a-b", "c") and ("a", "b-c") cannot meet, nobody can make two ids meet on
 * purpose, and a hundred thousand ids a second cost little.
 */
export class EventKeys {
  readonly #secret: Uint8Array;
  readonly #ofSources = new Map<string, SourceKey>();

  /** `secret`: at least 16 random bytes that nobody else has. */
  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  /** Writes the key of an identity to `out[offset..offset + 4)`. */
  write({ tenant, source, id }: EventIdentity, out: Uint32Array, offset: number): void {
    const { bytes, utf16 } = this.#ofSource(tenant, source);
    if (!sipHash128(bytes, id, 1, out, offset)) sipHash128(utf16, id, 2, out, offset);
  }

  #ofSource(tenant: string | undefined, source: string): SourceKey {
    // A tenant is an organisation's name, which has no line feed in it.
    const name = `${tenant ?? ''}\n${source}`;
    const known = this.#ofSources.get(name);
    if (known) return known;
    const text = JSON.stringify(['tonnage event key', tenant ?? null, source]);
    const derived = createHmac('sha256', this.#secret).update(text).digest();
    const words = Uint32Array.from({ length: 8 }, (_, index) => derived.readUInt32LE(4 * index));
    const key = { bytes: words.subarray(0, 4), utf16: words.subarray(4) };
    if (this.#ofSources.size >= limits.eventSourcesRememberedMax) this.#ofSources.clear();
    this.#ofSources.set(name, key);
    return key;
  }
}
