import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openApiFixture, type ApiFixture } from './testing/api-fixture.ts';

let fixture: ApiFixture;
let server: Server;
beforeAll(async () => {
  fixture = await openApiFixture();
  server = createServer((request, response) => {
    fixture.app.routing(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await fixture.close();
});

/** The status of a response that is sent before the request's body has arrived. */
async function statusOf(line: string, headers: string): Promise<number> {
  const address = server.address();
  const socket = connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1');
  socket.write(
    `${line} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n${headers}\r\n`,
  );
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer.toString())?.[1]);
}

const nobody = 'x-no-credentials: 1\r\n';
test.each([
  ['POST /nowhere', 404, ''],
  ['PUT /api/v1/meters', 405, ''],
  ['POST /api/v1/tokens', 401, nobody],
  ['DELETE /api/v1/tokens/abc', 401, nobody],
  ['POST /api/v1/events', 401, nobody],
  ['POST /api/v1/events/harbor', 401, nobody],
])('%s gets %i before its body is read', async (line, status, headers) => {
  expect(await statusOf(line, headers)).toBe(status);
});
