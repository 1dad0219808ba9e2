import type { ServerResponse } from 'node:http';

import { limits, pause } from '../base/index.ts';
import { isConnected, type Exchange } from './exchange.ts';
import { BodyWriter } from './body-writer.ts';

/**
 * Whether the client has closed its sending side. It may still read, or it may have disconnected: that looks the same
 * until a write is reset (`stillReads`).
 */
export function isHalfClosed({ request }: Pick<Exchange, 'request'>): boolean {
  return request.socket.readableEnded;
}

/**
 * Sends the headers of a response and the first bytes of its body, and resolves with whether the client still reads.
 * The kernel of a disconnected client answers the headers with a reset, so the next write fails.
 */
export async function stillReads(response: ServerResponse, firstBytes: Uint8Array): Promise<boolean> {
  const writer = new BodyWriter(response);
  response.flushHeaders();
  await pause(limits.halfClosedResetMs, writer.signal);
  if (writer.closed) return false;
  response.write(firstBytes);
  await pause(1, writer.signal);
  return isConnected({ response });
}
