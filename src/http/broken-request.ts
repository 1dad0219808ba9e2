import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { answerHeaders, OciError, type OciErrorKind } from '../oci/index.ts';
import { problem, problemType } from './problem.ts';

/** An error of Node's HTTP parser. */
interface ParserError extends Error {
  readonly code?: string;
  readonly rawPacket?: Uint8Array;
}

interface BadRequest {
  readonly status: number;
  readonly kind: OciErrorKind;
  readonly message: string;
}

/** Responses by parser error; the others are a plain 400. */
const byParserError: ReadonlyMap<string, BadRequest> = new Map([
  [
    'HPE_HEADER_OVERFLOW',
    { status: 431, kind: 'requestInvalid', message: 'the request line and headers are too large' },
  ],
  [
    'HPE_INVALID_METHOD',
    { status: 405, kind: 'methodUnsupported', message: 'expected GET or HEAD, got another method' },
  ],
  ['ERR_HTTP_REQUEST_TIMEOUT', { status: 408, kind: 'requestInvalid', message: 'the request did not arrive in time' }],
]);
const malformed: BadRequest = { status: 400, kind: 'requestInvalid', message: 'the request is not valid HTTP' };

/**
 * Answers bytes that Node could not parse as a request; Node's own response would have another body or none. Then
 * closes the connection, because the start of the next request is unknown (RFC 9112, sections 2.2 and 6.3). `last` is
 * the latest response on this connection. Nothing may be written after it while it is incomplete, or if its request's
 * body is what could not be parsed.
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
  socket.end(rawResponse(badRequestFor(error.code, start), isForGateway(start)), () => socket.destroy());
}

/** Rejects CONNECT. Node passes its raw socket, without a response object. */
export function answerConnect(socket: Duplex): void {
  const error = { status: 405, kind: 'methodUnsupported', message: 'CONNECT is not supported' } as const;
  socket.end(rawResponse(error, true), () => socket.destroy());
}

function rawResponse({ status, kind, message }: BadRequest, forGateway: boolean): string {
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

/** The parser reports any unknown first word as an invalid method; it is one only if a request line follows. */
function badRequestFor(code: string | undefined, start: string): BadRequest {
  if (code === 'HPE_INVALID_METHOD' && !/^[\w-]+ \S+ HTTP\/1\.\d/.test(start)) return malformed;
  return byParserError.get(code ?? '') ?? malformed;
}

/** Whether the request is for `/v2`. An unreadable request line counts as if it were. */
function isForGateway(start: string): boolean {
  const target = /^[^\s]+ (\S+)/.exec(start)?.[1];
  return target === undefined || !target.startsWith('/') || /^\/v2(?:[/?]|$)/.test(target);
}
