import type { FastifyReply } from 'fastify';

/** Sends a text that is finished: JSON with integers beyond 2^53, CSV. No schema's serialiser touches it. */
export function sendText(reply: Pick<FastifyReply, 'header' | 'send'>, type: string, text: string): void {
  // `type()` would add a charset, which JSON does not have (RFC 8259, section 11).
  reply.header('content-type', type);
  void reply.send(Buffer.from(text));
}
