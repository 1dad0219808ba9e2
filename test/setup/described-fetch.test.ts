import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { holdAgainstDescription } from '../support/described-fetch.ts';

const description = {
  openapi: '3.1.0',
  paths: {
    '/api/v1/described': {
      get: { responses: { 200: { content: { 'application/json': { schema: { type: 'object' } } } } } },
    },
  },
};
const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
  response.setHeader('content-type', 'application/json').statusCode = Number(searchParams.get('status') ?? 200);
  response.end(pathname === '/openapi.json' ? JSON.stringify(description) : (searchParams.get('body') ?? '{}'));
});
let url: string;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  holdAgainstDescription(url);
});
afterAll(() => server.close());

test('an answer that is described comes through, with its body', async () => {
  const response = await fetch(`${url}/api/v1/described?body={"a":1}`);
  expect(await response.json()).toEqual({ a: 1 });
});

test.each([
  ['a body that does not fit', 'body=[]', 'get /api/v1/described: 200: data must be object'],
  ['a status that is not there', 'status=404', 'get /api/v1/described: 404'],
])('%s fails the fetch', async (_, query, missing) => {
  await expect(fetch(`${url}/api/v1/described?${query}`)).rejects.toThrow(
    `/openapi.json does not describe this answer: ${missing}`,
  );
});
