import type { FastifyReply } from 'fastify';

/** Sends a text that is finished: JSON with integers beyond 2^53, CSV. No schema's serialiser touches it. */
export function sendText(reply: Pick<FastifyReply, 'type' | 'send'>, type: string, text: string): void {
  reply.type(type);
  void reply.send(Buffer.from(text));
}
