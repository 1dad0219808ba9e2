import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { closeLinks, connectTestLink, openTestLink } from '../../test/support/redis-link.ts';
import { makeCertificates } from '../../test/support/redis-tls.ts';
import { eventually, startRedis, type RedisCertificateFiles, type RedisServer } from '../../test/support/redis.ts';

const directory = mkdtempSync(join(tmpdir(), 'tonnage-tls-'));
let files: RedisCertificateFiles;
let others: RedisCertificateFiles;
let server: RedisServer;

beforeAll(async () => {
  [files, others] = await Promise.all([
    makeCertificates(join(directory, 'ours')),
    makeCertificates(join(directory, 'others')),
  ]);
  server = await startRedis(join(directory, 'redis'), { tls: files, password: 'hunter2' });
});
afterEach(closeLinks);
afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

const secure = () => ({ mode: 'standalone', url: server.url, password: 'hunter2' }) as const;
const pem = (path: string) => readFileSync(path, 'utf8');

describe('TLS', () => {
  it("connects with the authority that signed the server's certificate, by address and by name", async () => {
    const { link } = await connectTestLink({ ...secure(), tls: { ca: pem(files.ca) } });
    expect(await link.send({ args: ['ECHO', 'safe'] })).toBe('safe');
    const named = await connectTestLink({ ...secure(), tls: { ca: pem(files.ca), servername: 'localhost' } });
    expect(await named.link.send({ args: ['ECHO', 'named'] })).toBe('named');
  });

  it('sends a client certificate to a server that requires one', async () => {
    const strict = await startRedis(join(directory, 'strict'), {
      tls: files,
      directives: ['--tls-auth-clients', 'yes'],
    });
    const tls = { ca: pem(files.ca), cert: pem(files.cert), key: pem(files.key) };
    const { link } = await connectTestLink({ mode: 'standalone', url: strict.url, tls });
    expect(await link.send({ args: ['ECHO', 'known'] })).toBe('known');
    const anonymous = await openTestLink({ mode: 'standalone', url: strict.url, tls: { ca: tls.ca } });
    await eventually('the failure shows', () => /certificate/i.test(anonymous.link.status.failure ?? ''));
    await strict.stop();
  });

  it.each([
    ['another authority', () => ({ ca: pem(others.ca) }), /signature|self.signed|unable to verify|issuer/i],
    ['the authorities of the system', () => undefined, /self.signed|unable to (get|verify)/i],
    ['another name', () => ({ ca: pem(files.ca), servername: 'elsewhere.example' }), /altname|elsewhere/i],
  ])('does not connect with %s, and reports why', async (_, tls, reason) => {
    const options = tls();
    const { link } = await openTestLink({ ...secure(), ...(options && { tls: options }) });
    await eventually('the failure shows', () => reason.test(link.status.failure ?? ''));
    await expect(link.send({ args: ['ECHO', 'no'] })).rejects.toMatchObject({ code: 'redis_unavailable' });
  });

  it('fails with a server that does not support it, and reports why', async () => {
    const plain = await startRedis(join(directory, 'plain'));
    const url = plain.url.replace('redis:', 'rediss:');
    const { link } = await openTestLink({ mode: 'standalone', url, connectTimeoutMs: 300 });
    await eventually('the failure shows', () => /timeout/i.test(link.status.failure ?? ''));
    await plain.stop();
  });
});
