import type { FastifyReply } from 'fastify';

/** Sends finished text, such as JSON with integers above 2^53, or CSV. It bypasses the schema's serialiser. */
export function sendText(reply: Pick<FastifyReply, 'header' | 'send'>, type: string, text: string): void {
  // `type()` would add a charset, which JSON does not define (RFC 8259, section 11).
  reply.header('content-type', type);
  void reply.send(Buffer.from(text));
}
