import { createHmac, hash } from 'node:crypto';
import { limits, TonnageError } from '../base/index.ts';
import type { KeyHash } from '../store/index.ts';
import type { EventIdentity } from '../usage/index.ts';
import { sipHash128 } from './sip-hash.ts';

/** 32-bit words of a key. */
export const keyWords = 4;

/** Writes the key of an id to `out[offset..offset + 4)`. */
type WriteKey = (id: string, out: Uint32Array, offset: number) => void;

/** For each version, the hash under 32 secret bytes that belong to one pair of tenant and source. */
const hashes: Readonly<Record<KeyHash['version'], (secret: Buffer) => WriteKey>> = { 1: sipHashUnder, 2: sha256Under };

/**
 * Turns identities of events into keys of 128 bits. Each pair of tenant and source has a secret of its own, derived by
 * HMAC from the ledger's secret. So ("a-b", "c") and ("a", "b-c") have different keys, and a sender cannot find two ids
 * with the same key.
 */
export class EventKeys {
  #keyHash: KeyHash | undefined;
  readonly #ofSources = new Map<string, WriteKey>();

  /** `keyHash`: absent while it is unknown. */
  constructor(keyHash?: KeyHash) {
    this.#keyHash = keyHash;
  }

  /** Sets the hash if it was unknown. Answers whether it was: a ledger never changes a known one. */
  use(keyHash: KeyHash): boolean {
    const wasUnknown = this.#keyHash === undefined;
    this.#keyHash ??= keyHash;
    return wasUnknown;
  }

  /** Throws `ledger_unavailable` while the hash is unknown. */
  known(): KeyHash {
    if (this.#keyHash) return this.#keyHash;
    throw new TonnageError(
      'ledger_unavailable',
      'the ledger accepts no event before its first contact with Redis, which holds the secret that all instances hash identities with',
    );
  }

  /** Writes the key of an identity to `out[offset..offset + 4)`. Throws as `known` does. */
  write({ tenant, source, id }: EventIdentity, out: Uint32Array, offset: number): void {
    this.#ofSource(tenant, source)(id, out, offset);
  }

  #ofSource(tenant: string | undefined, source: string): WriteKey {
    // A tenant is the name of an organisation, which contains no line feed.
    const name = `${tenant ?? ''}\n${source}`;
    const known = this.#ofSources.get(name);
    if (known) return known;
    const text = JSON.stringify(['tonnage event key', tenant ?? null, source]);
    const { secret, version } = this.known();
    const made = hashes[version](createHmac('sha256', secret).update(text).digest());
    if (this.#ofSources.size >= limits.eventSourcesRememberedMax) this.#ofSources.clear();
    this.#ofSources.set(name, made);
    return made;
  }
}

/**
 * The first 128 bits of SHA-256 over 32 secret characters and the id. A caller cannot extend a hash (length extension), since
 * half of it is cut off. The hash encodes text as UTF-8, which turns all lone surrogates into one character. An id with a lone
 * surrogate is therefore hashed as JSON text, which escapes it, and the first character distinguishes the two forms.
 */
function sha256Under(secret: Buffer): WriteKey {
  const prefix = secret.toString('base64url', 0, 24);
  return (id, out, offset) => {
    const text = id.isWellFormed() ? `=${id}` : JSON.stringify(id);
    // Latin-1 is the cheapest output of the hash: one character for each byte.
    const bytes = hash('sha256', prefix + text, 'latin1');
    for (let word = 0; word < keyWords; word++) out[offset + word] = wordAt(bytes, 4 * word);
  };
}

/** Four characters as a 32-bit word, little-endian. */
function wordAt(bytes: string, at: number): number {
  const low = bytes.charCodeAt(at) | (bytes.charCodeAt(at + 1) << 8);
  return low | (bytes.charCodeAt(at + 2) << 16) | (bytes.charCodeAt(at + 3) << 24);
}

/** SipHash under one of two keys: ids of characters up to U+00FF are hashed as bytes, other ids as UTF-16. */
function sipHashUnder(secret: Buffer): WriteKey {
  const words = Uint32Array.from({ length: 8 }, (_, index) => secret.readUInt32LE(4 * index));
  const [latin1Key, utf16Key] = [words.subarray(0, 4), words.subarray(4)];
  return (id, out, offset) => {
    const latin1 = Buffer.from(id, 'latin1');
    if (latin1.toString('latin1') === id) sipHash128(latin1Key, latin1, out, offset);
    else sipHash128(utf16Key, Buffer.from(id, 'utf16le'), out, offset);
  };
}
