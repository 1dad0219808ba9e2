import { answerHeaders } from '../oci/index.ts';

/**
 * Header names and values in turn, for node:http. It is mutable only because node:http's type requires that; never
 * change one.
 */
export type HeaderList = string[];

/** Headers of every `/v2` response. */
export const baseHeaders: HeaderList = Object.entries(answerHeaders).flat();

/**
 * Whether an `If-None-Match` header matches an entity tag (RFC 9110, section 13.1.2): weak comparison, a list, or `*`.
 * `etag` includes its quotes.
 */
export function matchesETag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  return ifNoneMatch.split(',').some((entry) => entry.trim().replace(/^W\//, '') === etag);
}
