import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { answerHeaders, OciError, type OciErrorKind } from '../oci/index.ts';
import { problem, problemType } from './problem.ts';

/** What Node's HTTP parser reports about bytes that are no request. */
interface ParserError extends Error {
  readonly code?: string;
  readonly rawPacket?: Uint8Array;
}

interface Refusal {
  readonly status: number;
  readonly kind: OciErrorKind;
  readonly message: string;
}

/** How the parser's errors are answered; what is not listed is a plain 400. */
const refusals: ReadonlyMap<string, Refusal> = new Map([
  [
    'HPE_HEADER_OVERFLOW',
    { status: 431, kind: 'requestInvalid', message: 'the request line and headers are too large' },
  ],
  ['HPE_INVALID_METHOD', { status: 405, kind: 'methodUnsupported', message: 'this method does not exist here' }],
  ['ERR_HTTP_REQUEST_TIMEOUT', { status: 408, kind: 'requestInvalid', message: 'the request did not arrive in time' }],
]);
const malformed: Refusal = { status: 400, kind: 'requestInvalid', message: 'the request is not valid HTTP' };

/**
 * Answers bytes that Node could not parse as a request, where it would else send a body of its own or none, and ends
 * the connection: after such bytes nobody can tell where the next request begins (RFC 9112, section 2.2 and 6.3).
 * `last` is the latest answer on this connection. While that one is on its way, or belongs to the broken request itself
 * (whose body is what could not be parsed), nothing may be written behind it.
 */
export function answerBrokenRequest(error: ParserError, socket: Duplex, last: ServerResponse | undefined): void {
  if (error.code === 'ECONNRESET' || !socket.writable || (last !== undefined && !last.writableEnded)) {
    socket.destroy();
    return;
  }
  if (last !== undefined && !last.req.complete) {
    socket.end(() => socket.destroy());
    return;
  }
  const start = Buffer.from(error.rawPacket ?? []).toString('latin1', 0, 256);
  socket.end(rawAnswer(refusalFor(error.code, start), isForGateway(start)), () => socket.destroy());
}

/** CONNECT is not offered; Node hands its socket over raw. */
export function answerConnect(socket: Duplex): void {
  const refusal = { status: 405, kind: 'methodUnsupported', message: 'CONNECT is not offered here' } as const;
  socket.end(rawAnswer(refusal, true), () => socket.destroy());
}

/** A whole answer as text, for a socket that has no response object. */
function rawAnswer({ status, kind, message }: Refusal, forGateway: boolean): string {
  const body = forGateway
    ? new OciError(kind, message).body()
    : JSON.stringify(problem(status === 405 ? 'method_not_allowed' : 'bad_request', message, status));
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `content-type: ${forGateway ? 'application/json' : problemType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    ...(forGateway ? Object.entries(answerHeaders).map(([name, value]) => `${name}: ${value}`) : []),
    ...(status === 405 ? ['allow: GET, HEAD'] : []),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** The parser calls any first word that it does not know an invalid method; it is one only in a line of a request. */
function refusalFor(code: string | undefined, start: string): Refusal {
  if (code === 'HPE_INVALID_METHOD' && !/^[\w-]+ \S+ HTTP\/1\.\d/.test(start)) return malformed;
  return refusals.get(code ?? '') ?? malformed;
}

/** Whether the request line asks for `/v2`, as far as it can be read; what cannot be told is answered as if. */
function isForGateway(start: string): boolean {
  const target = /^[^\s]+ (\S+)/.exec(start)?.[1];
  return target === undefined || !target.startsWith('/') || /^\/v2(?:[/?]|$)/.test(target);
}
