import { once } from 'node:events';
import { createServer } from 'node:http';

import { expect, test } from 'vitest';

import { OciError } from '../oci/index.ts';
import { blobHeaders } from './blob-headers.ts';
import { sendError, writeHead, type Exchange } from './exchange.ts';
import { content } from './testing/images.ts';

const { digest } = content('', Buffer.from('content that is refused'));

test('an error response has no headers of the response that could not be written', async () => {
  const server = createServer((request, response) => {
    response.setHeader('X-Request-Id', 'kept');
    const asked = { principal: null, client: '', startedMs: 0, namespace: 'a\r\nb' };
    const exchange: Exchange = { request, response, ...asked };
    expect(() => writeHead(exchange, 200, blobHeaders({ digest, length: 5 }))).toThrow('Invalid character');
    sendError(exchange, new OciError('internal', 'internal server error'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const answer = await fetch(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
  expect([answer.status, await answer.json()]).toMatchObject([500, { errors: [{ code: 'UNKNOWN' }] }]);
  expect([...answer.headers.keys()].filter((name) => !['connection', 'date', 'keep-alive'].includes(name))).toEqual([
    'cache-control',
    'content-length',
    'content-security-policy',
    'content-type',
    'docker-distribution-api-version',
    'x-content-type-options',
    'x-request-id',
  ]);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  server.close();
});
