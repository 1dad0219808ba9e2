import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { badRequests } from '../../src/gateway/testing/bad-requests.ts';
import { startTonnage, type Tonnage } from '../support/tonnage.ts';

/** The whole program, with one upstream that does not listen: a request that reached it would be answered with 502. */
let directory: string;
let server: Tonnage;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-e2e-'));
  server = await startTonnage(directory, {
    upstreams: { lab: { url: 'http://127.0.0.1:9' } },
    gateway: { defaultUpstream: 'lab' },
  });
});
afterAll(async () => {
  await server.program.stop('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

/** Sends bytes and answers status, headers and body of the first answer; the connection must end by itself. */
async function raw(bytes: string): Promise<{ status: number; head: string; body: string }> {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => undefined);
  let answer = '';
  socket.setEncoding('latin1').on('data', (chunk) => (answer += String(chunk)));
  socket.write(Buffer.from(bytes, 'latin1'));
  await once(socket, 'close');
  const end = answer.indexOf('\r\n\r\n');
  return {
    status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1]),
    head: answer.slice(0, end),
    body: answer.slice(end + 4),
  };
}

/** The body with an error of that code; a HEAD has none. */
const bodyOf = (code: string | null): unknown =>
  code === null ? null : { errors: [{ code, message: expect.any(String) }] };

const line = (method: string, target: string, headers: readonly string[]): string =>
  [`${method} ${target} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers, '', ''].join('\r\n');

describe('requests that only the gateway can refuse', () => {
  // Those outside of /v2 never reach the gateway here: the API answers them.
  const belowGateway = badRequests.filter(({ target }) => /^\/v2([/?]|$)/.test(target));

  test('are many', () => expect(belowGateway.length).toBeGreaterThanOrEqual(60));

  test.each(belowGateway)('$title: $status $code', async ({ method, target, headers, status, code }) => {
    const answer = await raw(line(method, target, headers));
    expect(answer.status).toBe(status);
    expect(answer.head).toContain("Content-Security-Policy: default-src 'none'; sandbox");
    const body: unknown = answer.body === '' ? null : JSON.parse(answer.body);
    expect(body).toEqual(bodyOf(code));
  });
});

test.each(['/v2/', '/v2/token', '/v2/token?scope=x'])(
  '%s is answered with the policy of all content',
  async (target) => {
    for (const method of ['GET', 'HEAD', 'POST']) {
      const { head } = await raw(line(method, target, []));
      expect(head).toContain("Content-Security-Policy: default-src 'none'; sandbox");
      expect(head).toContain('X-Content-Type-Options: nosniff');
    }
  },
);

/** Messages that two parsers in a row read differently (RFC 9112, section 11.2), and input that is not HTTP. */
const shapes: readonly (readonly [string, string, number])[] = [
  [
    'length and chunks at once',
    'GET /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  [
    'two lengths that differ',
    'POST /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd',
    400,
  ],
  ['two hosts', 'GET /v2/ HTTP/1.1\r\nHost: 127.0.0.1\r\nhost: evil.example\r\n\r\n', 400],
  ['a length that is no number', 'POST /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3a\r\n\r\nabc', 400],
  ['a negative length', 'POST /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n', 400],
  [
    'a space before the colon of Transfer-Encoding',
    'POST /v2/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  [
    'an encoding that nobody knows',
    'POST /v2/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
    400,
  ],
  [
    'chunked that is not the last encoding',
    'POST /v2/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n',
    400,
  ],
  ['a chunk size that is no number', 'POST /v2/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 405],
  ['a folded header', 'GET /v2/ HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n', 400],
  ['a bare carriage return in a header', 'GET /v2/ HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n', 400],
  ['a NUL in a header', 'GET /v2/ HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n', 400],
  ['a header without a colon', 'GET /v2/ HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n', 400],
  ['no Host', 'GET /v2/ HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
  [
    'a target in the form for proxies',
    'GET http://other.example/v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    400,
  ],
  ['the asterisk', 'OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 400],
  ['CONNECT', 'CONNECT other.example:443 HTTP/1.1\r\nHost: x\r\n\r\n', 405],
  ['a method that does not exist', 'BREW /v2/ HTTP/1.1\r\nHost: x\r\n\r\n', 405],
  ['a method in lower case', 'get /v2/ HTTP/1.1\r\nHost: x\r\n\r\n', 405],
  ['a version that does not exist', 'GET /v2/ HTTP/9.9\r\nHost: x\r\n\r\n', 400],
  ['HTTP/2 without agreement', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['no HTTP', 'hello\r\n\r\n', 400],
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400],
  ['a target beyond the limit', `GET /v2/${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
  ['a header beyond the limit', `GET /v2/ HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  [
    'headers beyond the limit together',
    `GET /v2/ HTTP/1.1\r\nHost: x\r\n${'X: aaaaaaaaaaaaaaaa\r\n'.repeat(1_500)}\r\n`,
    431,
  ],
];

describe('requests that are no requests', () => {
  test.each(shapes)('%s: %s', async (_, bytes, status) => {
    const answer = await raw(bytes);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toEqual({ errors: [{ code: 'UNSUPPORTED', message: expect.any(String) }] });
  });

  test('the bytes after one do not count as another request', async () => {
    const answer = await raw(
      'GET /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n',
    );
    expect(answer.body).not.toContain('alive');
  });
});

test('afterwards the server still works, has counted nothing, and has not connected to the upstream', async () => {
  expect(await (await fetch(`${server.url}/readyz`)).json()).toMatchObject({ ready: true });
  expect((await server.pulls()).total).toBe(0);
  const errors = server.program
    .output()
    .split('\n')
    .filter((logged) => /"level":(50|60)/.test(logged));
  expect(errors).toEqual([]);
});
