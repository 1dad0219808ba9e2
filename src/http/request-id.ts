import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Random } from '../base/index.ts';

/** Accepted client ids. Anything else could break a log line. */
const acceptable = /^[\w.-]{1,64}$/;

/** Creates a function that returns a request's id and adds it to the response: the `X-Request-Id` header, or a new id. */
export function createRequestIds(random: Random): (request: IncomingMessage, response: ServerResponse) => string {
  const prefix = Buffer.from(random.bytes(6)).toString('base64url');
  let count = 0;
  return (request, response) => {
    const given = request.headers['x-request-id'];
    const id = typeof given === 'string' && acceptable.test(given) ? given : `${prefix}-${(++count).toString(36)}`;
    response.setHeader('x-request-id', id);
    return id;
  };
}
