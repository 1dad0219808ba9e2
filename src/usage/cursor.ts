import { createHash } from 'node:crypto';
import { refused } from './refused.ts';

/** Of a hash of a question: whoever has two questions with the same one has looked for them, and only misleads himself. */
const fingerprintBytes = 9;
const separator = ':';

/**
 * The cursor of the page that begins at `position`, in an answer to `question`. Opaque to clients. It names its question by
 * a hash of what is asked, so that no other one is answered as if it had such a page.
 */
export function formatCursorOf(question: readonly unknown[], position: string): string {
  return Buffer.from(fingerprintOf(question) + separator + position).toString('base64url');
}

/** The place that a cursor names, which any question may have given. Throws `bad_request` for what is no cursor. */
export function positionOf(cursor: string, isPosition: (text: string) => boolean): string {
  return partsOf(cursor, isPosition).position;
}

/** The place that a cursor of `question` names. Throws `bad_request` for what is no cursor, and for that of another question. */
export function positionIn(
  question: readonly unknown[],
  cursor: string,
  isPosition: (text: string) => boolean,
): string {
  const { fingerprint, position } = partsOf(cursor, isPosition);
  if (fingerprint === fingerprintOf(question)) return position;
  throw refused('cursor', 'that of an answer to the same question, of which limit alone may be another', cursor);
}

function partsOf(cursor: string, isPosition: (text: string) => boolean) {
  const [, fingerprint, position = ''] = /^([A-Za-z0-9_-]{12}):(.*)$/s.exec(textOf(cursor)) ?? [];
  if (fingerprint !== undefined && isPosition(position)) return { fingerprint, position };
  throw refused('cursor', 'the value of next from the answer before', cursor);
}

/** What a cursor was made of; nothing for what could not have been made so. */
function textOf(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString();
  return Buffer.from(text).toString('base64url') === cursor ? text : '';
}

function fingerprintOf(question: readonly unknown[]): string {
  const hash = createHash('sha256').update(JSON.stringify(question)).digest();
  return hash.subarray(0, fingerprintBytes).toString('base64url');
}
