import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** `api`: sent as Bearer or as the password of Basic. `path`: part of an image's path, for pulling only. */
export type TokenKind = 'api' | 'path';

/**
 * base32 in lower case (RFC 4648, section 6), because for clients a path token is part of a repository name. Node.js
 * has no base32, and its encoder is shorter than a dependency.
 */
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const secretLength = 52;
const checksumLength = 7;
const form = /^tng_(api|path)_[a-z2-7]{59}$/;
const anywhere = /tng_(api|path)_[a-z2-7]+/gi;

/** Random bytes in a token. */
export const tokenSecretBytes = 32;

function base32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text += alphabet[(value >>> (bits - 5)) & 31];
  }
  return bits === 0 ? text : text + alphabet[(value << (5 - bits)) & 31];
}

/** `tng_<kind>_`, 52 characters of secret, and 7 of a checksum, which distinguishes a mistyped token from an unknown one. */
export function tokenText(kind: TokenKind, secret: Uint8Array): string {
  const start = `tng_${kind}_${base32(secret)}`;
  return start + checksumOf(start);
}

function checksumOf(start: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(start));
  return base32(bytes);
}

/** The kind of a token by its text. `mistyped`: its checksum is wrong or it is truncated. `undefined`: not a token of Tonnage. */
export function tokenKindOf(text: string): TokenKind | 'mistyped' | undefined {
  if (!text.startsWith('tng_')) return undefined;
  const kind = form.exec(text)?.[1];
  const start = text.slice(0, -checksumLength);
  if (start.length < secretLength || text.slice(-checksumLength) !== checksumOf(start)) return 'mistyped';
  return kind === 'api' || kind === 'path' ? kind : 'mistyped';
}

/** The stored hash of a token. A fast hash suffices for 256 random bits, and each request computes it. */
export function tokenHash(text: string): Uint8Array {
  return createHash('sha256').update(text, 'utf8').digest();
}

/** A short random id of a token, not secret. */
export function tokenId(bytes: Uint8Array): string {
  return base32(bytes);
}

/** Removes tokens from a text, for logs. */
export function withoutTokens(text: string): string {
  return text.includes('tng_') || /tng_/i.test(text) ? text.replaceAll(anywhere, 'tng_$1_…') : text;
}
