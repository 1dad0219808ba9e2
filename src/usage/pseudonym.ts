import { createHash, createHmac } from 'node:crypto';

/** Pseudonyms kept so that a busy client is not hashed with every pull; forgotten all at once. */
const rememberedMax = 10_000;

const pseudonymPattern = /^[0-9a-f]{8}:[0-9a-f]{32}$/;

/**
 * Stands in for users and client addresses: `<key id>:<128 bits>`, the same for the same value under the same key, and no
 * way back without it. The key's id tells pseudonyms of two keys apart, which can never be compared.
 */
export class Pseudonyms {
  readonly #key: Uint8Array;
  readonly #keyId: string;
  readonly #remembered = new Map<string, string>();

  /** `key`: at least 16 random bytes that nobody else has. */
  constructor(key: Uint8Array) {
    this.#key = key;
    this.#keyId = createHash('sha256').update('tonnage key id\0').update(key).digest('hex').slice(0, 8);
  }

  /** The pseudonym of a value of a dimension; the same text in two dimensions has two. One that is given stays as it is. */
  of(dimension: string, value: string): string {
    if (pseudonymPattern.test(value)) return value;
    const text = `${dimension}\0${value}`;
    const known = this.#remembered.get(text);
    if (known !== undefined) return known;
    const pseudonym = `${this.#keyId}:${createHmac('sha256', this.#key).update(text).digest('hex').slice(0, 32)}`;
    if (this.#remembered.size >= rememberedMax) this.#remembered.clear();
    this.#remembered.set(text, pseudonym);
    return pseudonym;
  }
}
