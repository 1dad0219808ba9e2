import { afterAll, beforeAll, expect, test } from 'vitest';

import { badRequests, type BadRequest } from './testing/bad-requests.ts';
import { TestGateway } from './testing/gateway.ts';
import { TestUpstream } from './testing/upstream.ts';

let lab: TestUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  lab = await TestUpstream.start();
  gateway = await TestGateway.start({ lab });
});

afterAll(async () => {
  await gateway.remove();
  await lab.stop();
});

function requestText({ method, target, headers }: BadRequest): Buffer {
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: gateway', 'Connection: close', ...headers, '', ''];
  return Buffer.from(lines.join('\r\n'), 'latin1');
}

test.each(badRequests)('$title gets $status and $code', async (bad) => {
  const [head = '', body = ''] = (await gateway.raw(requestText(bad))).toString('utf8').split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${bad.status} `));
  expect(head).toMatch(/\r\nDocker-Distribution-Api-Version: registry\/2\.0/);
  expect(head).toMatch(/\r\nX-Content-Type-Options: nosniff/);
  expect(head).toMatch(/\r\nContent-Security-Policy: default-src 'none'; sandbox/);
  expect(head).not.toMatch(/\r\n(?:Docker-Content-Digest|ETag|OCI-Namespace|Set-Cookie):/i);
  expect(head).toMatch(/\r\nContent-Type: application\/json/);
  expect(/\r\nAllow: GET, HEAD\r\n/.test(head)).toBe(bad.status === 405);
  const [error] = body === '' ? [{ code: null }] : (JSON.parse(body) as { errors: { code: string }[] }).errors;
  expect(error?.code).toBe(bad.code);
});

test('none of them reached the upstream or caused an internal error', () => {
  expect(lab.requests).toEqual([]);
  expect(gateway.logs).toEqual([]);
});

test('there are at least 60 of them', () => {
  expect(badRequests.length).toBeGreaterThanOrEqual(60);
});

test('no error message repeats the request', async () => {
  for (const target of [
    '/v2/SECRET/manifests/x',
    '/v2/secret.example/app/manifests/x',
    '/v2/app/blobs/secret',
    '/secret',
  ]) {
    const answer = await gateway.get(target);
    expect(answer.body.toString().toLowerCase()).not.toContain('secret');
  }
});

test.each(['/v2/', '/v2', '/v2/?x=y'])('%s confirms the distribution API', async (target) => {
  const answer = await gateway.get(target);
  expect(answer.status).toBe(200);
  expect(answer.headers['docker-distribution-api-version']).toBe('registry/2.0');
  expect((await gateway.head(target)).body).toHaveLength(0);
});
