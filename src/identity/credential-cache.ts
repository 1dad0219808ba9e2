import { createHmac } from 'node:crypto';
import { limits, Lru, type Clock, type Random } from '../base/index.ts';

interface Entry<T> {
  readonly value: T;
  /** Monotonic, in milliseconds. */
  readonly expiresAt: number;
}

/**
 * Caches results for credentials, so that a password is hashed once in five minutes and not for every layer of an
 * image. Stores an HMAC of the credentials under a key of this process, never the credentials themselves.
 */
export class CredentialCache<T> {
  readonly #clock: Clock;
  readonly #key: Uint8Array;
  readonly #entries = new Lru<Entry<T>>(limits.credentialMemoryEntriesMax);

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#key = random.bytes(32);
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }

  /** The key of an `Authorization` header or a token: its HMAC. */
  keyOf(header: string): string {
    return createHmac('sha256', this.#key).update(header).digest('base64');
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.expiresAt > this.#clock.monotonic()) return entry.value;
    this.#entries.delete(key);
    return undefined;
  }

  /** Caches `value` for `ms` milliseconds. 0 or less removes the entry. */
  set(key: string, value: T, ms: number = limits.credentialMemoryMs): void {
    if (ms > 0) this.#entries.set(key, { value, expiresAt: this.#clock.monotonic() + ms });
    else this.#entries.delete(key);
  }
}
