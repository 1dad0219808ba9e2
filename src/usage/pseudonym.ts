import { createHash, createHmac } from 'node:crypto';

/** The most pseudonyms in the cache, which saves hashing a busy client at every pull. A full cache is cleared. */
const cachedMax = 10_000;

const pseudonymPattern = /^[0-9a-f]{8}:[0-9a-f]{32}$/;

/**
 * Pseudonyms for users and client addresses: `<key id>:<128 bits>`. The same value has the same pseudonym, which cannot
 * be reversed without the key. The key id distinguishes pseudonyms of different keys, which cannot be compared.
 */
export class Pseudonyms {
  readonly #key: Uint8Array;
  readonly #keyId: string;
  readonly #cached = new Map<string, string>();

  /** `key`: at least 16 random bytes, secret. */
  constructor(key: Uint8Array) {
    this.#key = key;
    this.#keyId = createHash('sha256').update('tonnage key id\0').update(key).digest('hex').slice(0, 8);
  }

  /** The pseudonym of a value. It depends on the dimension. A value that is a pseudonym is returned unchanged. */
  of(dimension: string, value: string): string {
    if (pseudonymPattern.test(value)) return value;
    const text = `${dimension}\0${value}`;
    const known = this.#cached.get(text);
    if (known !== undefined) return known;
    const pseudonym = `${this.#keyId}:${createHmac('sha256', this.#key).update(text).digest('hex').slice(0, 32)}`;
    if (this.#cached.size >= cachedMax) this.#cached.clear();
    this.#cached.set(text, pseudonym);
    return pseudonym;
  }
}
