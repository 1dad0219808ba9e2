import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** `api`: shown as Bearer or as the password of Basic. `path`: stands in the path of images, and may only pull. */
export type TokenKind = 'api' | 'path';

/** base32 in lower case (RFC 4648, section 6), since a path token is a part of a repository name for its clients. */
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';
const secretLength = 52;
const checksumLength = 7;
const form = /^tng_(api|path)_[a-z2-7]{59}$/;
const anywhere = /tng_(api|path)_[a-z2-7]+/gi;

/** Bytes of randomness in a token. */
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

/** `tng_<kind>_`, the secret in 52 characters, and a checksum of all that in 7, by which a typo is told from a stranger. */
export function tokenText(kind: TokenKind, secret: Uint8Array): string {
  const start = `tng_${kind}_${base32(secret)}`;
  return start + checksumOf(start);
}

function checksumOf(start: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(start));
  return base32(bytes);
}

/** Of what kind a text is that claims to be a token of ours: `mistyped` when its checksum is not right, or it is cut off. */
export function tokenKindOf(text: string): TokenKind | 'mistyped' | undefined {
  if (!text.startsWith('tng_')) return undefined;
  const kind = form.exec(text)?.[1];
  const start = text.slice(0, -checksumLength);
  if (start.length < secretLength || text.slice(-checksumLength) !== checksumOf(start)) return 'mistyped';
  return kind === 'api' || kind === 'path' ? kind : 'mistyped';
}

/**
 * What is kept of a token. One round of a quick hash is enough: nobody finds 256 random bits by trying, and it is looked
 * up with each request.
 */
export function tokenHash(text: string): Uint8Array {
  return createHash('sha256').update(text, 'utf8').digest();
}

/** A short random name for a token, which may be shown. */
export function tokenId(bytes: Uint8Array): string {
  return base32(bytes);
}

/** The text without the tokens that stand somewhere in it, for logs. */
export function withoutTokens(text: string): string {
  return text.includes('tng_') || /tng_/i.test(text) ? text.replaceAll(anywhere, 'tng_$1_…') : text;
}
