import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** Sends a complete response with its Content-Length. The response to a HEAD request has no body. */
export function sendBody(response: ServerResponse, status: number, body: string, headers: OutgoingHttpHeaders): void {
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
