import { answerHeaders, type Digest } from '../oci/index.ts';

/**
 * Header names and values in turn, for node:http. It is mutable only because node:http's type requires that; never
 * change one.
 */
export type HeaderList = string[];

/** Headers of every `/v2` response. */
const baseHeaders: HeaderList = Object.entries(answerHeaders).flat();

/** Returns the headers that identify content: of a 304, and of every response with the content or a part of it. */
export function identityHeaders(digest: Digest, cacheControl: string): HeaderList {
  const { text } = digest;
  return ['Docker-Content-Digest', text, 'ETag', `"${text}"`, 'Cache-Control', cacheControl, ...baseHeaders];
}

/** Returns the headers of a response with a JSON body of `bytes`. */
export function jsonHeaders(bytes: number, ...more: HeaderList): HeaderList {
  return ['Content-Type', 'application/json', 'Content-Length', String(bytes), ...more, ...baseHeaders];
}

/**
 * Whether an `If-None-Match` header matches an entity tag (RFC 9110, section 13.1.2): weak comparison, a list, or `*`.
 * `etag` includes its quotes.
 */
export function matchesETag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  return ifNoneMatch.split(',').some((entry) => entry.trim().replace(/^W\//, '') === etag);
}
