import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Random } from '../base/index.ts';

/** Ids that a proxy in front of us may have given; anything else could break a log line. */
const acceptable = /^[\w.-]{1,64}$/;

/** Gives each request an id: the one that it brings (`X-Request-Id`), else a new one; the answer carries it. */
export function createRequestIds(random: Random): (request: IncomingMessage, response: ServerResponse) => string {
  const prefix = Buffer.from(random.bytes(6)).toString('base64url');
  let count = 0;
  return (request, response) => {
    const brought = request.headers['x-request-id'];
    const id =
      typeof brought === 'string' && acceptable.test(brought) ? brought : `${prefix}-${(++count).toString(36)}`;
    response.setHeader('x-request-id', id);
    return id;
  };
}
