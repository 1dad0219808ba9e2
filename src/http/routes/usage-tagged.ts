import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendText } from '../send-text.ts';

/**
 * Sends a finished text with its entity tag, or 304 without it to a client that names this tag (RFC 9110, 13.1.2). Whose
 * answer it is depends on the credentials, so that only the client itself may keep it, and must ask each time.
 */
export function sendTagged(request: FastifyRequest, reply: FastifyReply, type: string, text: string): void {
  // CSV has no place for the mark of an incomplete answer but the header, and 304 must not confirm the other one.
  const mark = String(reply.getHeader('tonnage-incomplete') ?? '');
  const tag = `"${hash('sha256', mark + text, 'base64url')}"`;
  reply.header('etag', tag).header('cache-control', 'private, no-cache').header('vary', 'accept, authorization');
  if (namesTag(request.headers['if-none-match'], tag)) void reply.code(304).send();
  else sendText(reply, type, text);
}

/** Whether a list of tags, or `*`, has this one; the weak comparison, which is the one for this header. */
function namesTag(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  return header.trim() === '*' || header.split(',').some((each) => each.trim().replace(/^W\//, '') === tag);
}
