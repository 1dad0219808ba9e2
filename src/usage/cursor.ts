import { createHash } from 'node:crypto';
import { refused } from './refused.ts';

/** Bytes of the hash of a query. A client that constructs a collision affects only its own pages. */
const fingerprintBytes = 9;
const separator = ':';

/**
 * The cursor of the page of `query` that begins at `position`. Opaque to clients. Contains a hash of the query, so that
 * a cursor is rejected for another query.
 */
export function formatCursorOf(query: readonly unknown[], position: string): string {
  return Buffer.from(fingerprintOf(query) + separator + position).toString('base64url');
}

/** The position in a cursor of any query. Throws `bad_request` if `cursor` is not a cursor. */
export function positionOf(cursor: string, isPosition: (text: string) => boolean): string {
  return partsOf(cursor, isPosition).position;
}

/** The position in a cursor of `query`. Throws `bad_request` for a cursor of another query, or text that is none. */
export function positionIn(query: readonly unknown[], cursor: string, isPosition: (text: string) => boolean): string {
  const { fingerprint, position } = partsOf(cursor, isPosition);
  if (fingerprint === fingerprintOf(query)) return position;
  throw refused('cursor', 'a cursor of the same query, in which only limit may differ', cursor);
}

function partsOf(cursor: string, isPosition: (text: string) => boolean) {
  const [, fingerprint, position = ''] = /^([A-Za-z0-9_-]{12}):(.*)$/s.exec(textOf(cursor)) ?? [];
  if (fingerprint !== undefined && isPosition(position)) return { fingerprint, position };
  throw refused('cursor', 'the value of next from the previous page', cursor);
}

/** Decodes a cursor; empty if it is not canonical base64url. */
function textOf(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString();
  return Buffer.from(text).toString('base64url') === cursor ? text : '';
}

function fingerprintOf(query: readonly unknown[]): string {
  const hash = createHash('sha256').update(JSON.stringify(query)).digest();
  return hash.subarray(0, fingerprintBytes).toString('base64url');
}
