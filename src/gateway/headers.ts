import { answerHeaders } from '../oci/index.ts';

/**
 * Header names and values in turn, as node:http takes them. It only reads such a list, but its type does not say so:
 * hence this is not readonly, and nobody changes one.
 */
export type HeaderList = string[];

/** Headers of every answer below `/v2/`. */
export const baseHeaders: HeaderList = Object.entries(answerHeaders).flat();

/**
 * Whether an `If-None-Match` header names this entity tag (RFC 9110, section 13.1.2): weak comparison, a list, or `*`.
 * `etag` is quoted.
 */
export function matchesETag(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() === '*') return true;
  return ifNoneMatch.split(',').some((entry) => entry.trim().replace(/^W\//, '') === etag);
}
