import { createHmac } from 'node:crypto';
import { limits, Lru, type Clock, type Random } from '../base/index.ts';

interface Entry<T> {
  readonly value: T;
  /** Monotonic, in milliseconds. */
  readonly expiresAt: number;
}

/**
 * Remembers what was found out about a credential for a while, so that a password is hashed once in five minutes and not
 * with every layer of an image. Holds no credential: only an HMAC of it, under a key of this process.
 */
export class CredentialMemory<T> {
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

  /** What stands for an `Authorization` header, or a token, here. */
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

  /** Remembers `value` for `ms`; not at all when that is 0 or less. */
  set(key: string, value: T, ms: number = limits.credentialMemoryMs): void {
    if (ms > 0) this.#entries.set(key, { value, expiresAt: this.#clock.monotonic() + ms });
    else this.#entries.delete(key);
  }
}
