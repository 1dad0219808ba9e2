import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { matchesETag } from '../../gateway/index.ts';
import { sendText } from '../send-text.ts';

/**
 * Sends finished text with its entity tag, or 304 if the client already has it (RFC 9110, 13.1.2). The content depends
 * on the credentials, so shared caches must not store it, and the client must revalidate it each time.
 */
export function sendTagged(request: FastifyRequest, reply: FastifyReply, type: string, text: string): void {
  // CSV marks an incomplete answer only in this header. The tag includes it, so that 304 never confirms a complete one.
  const incomplete = String(reply.getHeader('tonnage-incomplete') ?? '');
  const tag = `"${hash('sha256', incomplete + text, 'base64url')}"`;
  reply.header('etag', tag).header('cache-control', 'private, no-cache').header('vary', 'accept, authorization');
  if (matchesETag(request.headers['if-none-match'], tag)) void reply.code(304).send();
  else sendText(reply, type, text);
}
