import type { ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

import { limits } from '../base/index.ts';
import { isConnected, type Exchange } from './exchange.ts';
import { BodyWriter } from './body-writer.ts';

/**
 * Whether the client has closed its sending side. It may still read; or it has left, which looks the same until something
 * is written (`stillReads`).
 */
export function isHalfClosed({ request }: Pick<Exchange, 'request'>): boolean {
  return request.socket.readableEnded;
}

/**
 * Sends the head of an answer and the first bytes of its body, and answers whether the client still reads. The system of
 * a client that has left answers the head with a reset, which the next write then meets.
 */
export async function stillReads(response: ServerResponse, firstBytes: Uint8Array): Promise<boolean> {
  const writer = new BodyWriter(response);
  response.flushHeaders();
  await writer.until(pause(limits.halfClosedResetMs));
  if (writer.closed) return false;
  response.write(firstBytes);
  await writer.until(pause(1));
  return isConnected({ response });
}
