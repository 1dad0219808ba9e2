import { scryptSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { json, startJsonServer, type JsonServer } from '../../src/identity/testing/json-server.ts';
import { startDockerUpstream, type DockerUpstream } from '../support/docker-upstream.ts';
import { layer, pushImage } from '../support/images.ts';
import { eventually, startRedis, type RedisServer } from '../support/redis.ts';
import { awayFromMidnight } from '../support/midnight.ts';
import { skopeoPull } from '../support/skopeo.ts';
import { startTonnage, type Tonnage } from '../support/tonnage.ts';

/** skopeo logs in and pulls with every kind of credentials, and each pull counts for the right organisation. */
const directory = mkdtempSync(join(tmpdir(), 'tonnage-identity-'));
let upstream: DockerUpstream;
let platform: JsonServer;
let server: Tonnage | undefined;
let pulls = 0;

/** What skopeo says of a 401. */
const refused = /unauthorized|authentication required|401|invalid username/i;
const platformToken = 'eyJ0aWQiOiA0Mn0uc29tZS10b2tlbi1vZi1hLXBsYXRmb3Jt';
const asAdmin = { authorization: `Basic ${Buffer.from('root:r00t-password').toString('base64')}` };

beforeAll(async () => {
  upstream = await startDockerUpstream(directory);
  await pushImage(upstream.url, 'team/app', 'v1', { architecture: 'amd64', layers: [layer(1_000)] });
});
beforeEach(async () => {
  platform = await startJsonServer();
  platform.answer(({ headers }) =>
    headers.authorization === `Bearer ${platformToken}`
      ? json({ user: { id: 42, userName: 'metrics', email: 'test_metrics@seqera.io' } })
      : json({ message: 'Unauthorized' }, 401),
  );
});
afterEach(async () => {
  await server?.program.stop();
  await platform.close();
  rmSync(join(directory, 'data'), { recursive: true, force: true });
});
afterAll(async () => {
  await upstream.stop();
  rmSync(directory, { recursive: true, force: true });
});

function hashOf(password: string): string {
  const salt = Buffer.from('0123456789abcdef');
  const hash = scryptSync(password, salt, 32, { N: 1024, r: 1, p: 1 });
  return `scrypt:1024:1:1:${salt.toString('base64')}:${hash.toString('base64')}`;
}

async function start(config: Readonly<Record<string, unknown>> = {}): Promise<Tonnage> {
  const users = {
    root: { passwordHash: hashOf('r00t-password'), rights: ['query', 'admin'] },
    alice: { passwordHash: hashOf('alice-password'), email: 'alice@example.org' },
    metrics: { passwordHash: hashOf('metrics-password'), email: 'test_metrics@seqera.io' },
  };
  const defaults = { users, identity: { platform: { endpoint: platform.url } } };
  server = await startTonnage(directory, {
    upstreams: { lab: { url: upstream.url, tagTtl: '0s' } },
    ...defaults,
    ...config,
  });
  return server;
}

/** Pulls with skopeo; rejects with what skopeo says. */
async function pull(tonnage: Tonnage, credentials?: string): Promise<void> {
  const target = join(directory, `pulled-${(pulls += 1)}`);
  mkdirSync(target);
  const args = credentials === undefined ? ['--src-no-creds'] : ['--src-creds', credentials];
  await skopeoPull(`127.0.0.1:${tonnage.port}/lab/team/app:v1`, target, { args });
}

async function byOrg(tonnage: Tonnage): Promise<Readonly<Record<string, number>>> {
  const answer = await fetch(`${tonnage.url}/api/v1/usage/pulls?by=org`, { headers: asAdmin });
  const { rows } = (await answer.json()) as { rows: readonly { org: string | null; value: number }[] };
  return Object.fromEntries(rows.map(({ org, value }) => [org ?? '-', value]));
}

describe('skopeo logs in and pulls', () => {
  test.each([[true], ['challenge']])(
    'as a user, with a Platform token, and anonymously, where anonymous is %s',
    async (anonymous) => {
      const tonnage = await start({ gateway: { anonymous } });
      await pull(tonnage, 'alice:alice-password');
      await pull(tonnage, `any-name:${platformToken}`);
      await pull(tonnage, `other-name:${platformToken}`);
      await pull(tonnage);
      expect(await byOrg(tonnage)).toEqual({ 'example.org': 1, 'seqera.io': 2, '-': 1 });
      await expect(pull(tonnage, 'alice:wrong')).rejects.toThrow(refused);
      await expect(pull(tonnage, 'any-name:no-such-token')).rejects.toThrow(refused);
      expect(await byOrg(tonnage)).toEqual({ 'example.org': 1, 'seqera.io': 2, '-': 1 });
      // A mistyped password of a user is not shown to the Platform, and no token to the log.
      expect(platform.requests.map(({ headers }) => headers.authorization)).not.toContain('Bearer wrong');
      expect(tonnage.program.output()).not.toMatch(/eyJ0aWQi|no-such-token|alice-password/);
    },
  );

  test('with credentials alone, where anonymous is false', async () => {
    const tonnage = await start({ gateway: { anonymous: false } });
    await expect(pull(tonnage)).rejects.toThrow(refused);
    await pull(tonnage, `x:${platformToken}`);
    expect(await byOrg(tonnage)).toEqual({ 'seqera.io': 1 });
  });

  test('with a token of an OpenID Connect issuer', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' };
    platform.answer(() => json({ keys: [jwk] }));
    const oidc = [{ issuer: 'https://id.example.org', audience: 'tonnage', jwksUrl: `${platform.url}/keys` }];
    const tonnage = await start({ identity: { oidc } });
    const sign = (audience: string): Promise<string> =>
      new SignJWT({ email: 'dev@corp.example' })
        .setProtectedHeader({ alg: 'ES256', kid: 'k' })
        .setIssuer('https://id.example.org')
        .setAudience(audience)
        .setSubject('dev')
        .setExpirationTime('5m')
        .sign(privateKey);
    await pull(tonnage, `oidc:${await sign('tonnage')}`);
    await expect(pull(tonnage, `oidc:${await sign('other')}`)).rejects.toThrow(refused);
    expect(await byOrg(tonnage)).toEqual({ 'corp.example': 1 });
    const bearer = { authorization: `Bearer ${await sign('tonnage')}` };
    const answer = await fetch(`${tonnage.url}/api/v1/usage/pulls`, { headers: bearer });
    expect(await answer.json()).toMatchObject({ total: 1 });
  });

  test('by its address, where it brings no credentials', async () => {
    const addresses = [{ cidr: '127.0.0.0/8', org: 'rack.example' }];
    const tonnage = await start({ identity: { addresses }, gateway: { anonymous: false } });
    await pull(tonnage);
    await pull(tonnage, 'alice:alice-password');
    expect(await byOrg(tonnage)).toEqual({ 'rack.example': 1, 'example.org': 1 });
    await expect(pull(tonnage, 'alice:wrong')).rejects.toThrow(refused);
  });

  test('while the Platform is down', async () => {
    const tonnage = await start({
      identity: { platform: { endpoint: platform.url, timeout: '200ms', cacheFor: '0s' } },
    });
    // It may take its time even while it is up; what counts is that it has spoken of the token once.
    const headers = { authorization: `Bearer ${platformToken}` };
    const isKnown = async (): Promise<boolean> => (await fetch(`${tonnage.url}/api/v1/meters`, { headers })).ok;
    await eventually('the Platform has answered in time', isKnown);
    await pull(tonnage, `x:${platformToken}`);
    platform.answer(() => 'hangs');
    await pull(tonnage, `x:${platformToken}`);
    await pull(tonnage, 'x:a-token-that-it-never-spoke-of');
    expect(await byOrg(tonnage)).toEqual({ 'seqera.io': 2, '-': 1 });
    const metrics = await tonnage.metrics();
    expect(metrics).toMatch(/^tonnage_identity_platform_down_total\{taken="stale"\} [1-9]/m);
    expect(metrics).toMatch(/^tonnage_identity_platform_down_total\{taken="anonymous"\} [1-9]/m);
  });
});

describe('the request for credentials', () => {
  const manifest = '/v2/lab/team/app/manifests/v1';
  test('by `challenge` every request that brings nothing; an anonymous token is enough', async () => {
    const { url } = await start({ gateway: { anonymous: 'challenge' } });
    for (const path of ['/v2/', manifest, '/v2/lab/team/app/tags/list']) {
      const answer = await fetch(url + path);
      expect([path, answer.status, answer.headers.get('www-authenticate')]).toEqual([
        path,
        401,
        `Bearer realm="${url}/v2/token",service="tonnage"`,
      ]);
    }
    const { token } = (await (await fetch(`${url}/v2/token`)).json()) as { token: string };
    for (const path of ['/v2/', manifest]) {
      const answer = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } });
      expect([path, answer.status]).toEqual([path, 200]);
    }
  });

  test('a trusted proxy names the address of the client and the URL of its request', async () => {
    const addresses = [{ cidr: '192.0.2.0/24', org: 'lab.example' }];
    const headers = {
      'x-forwarded-for': '192.0.2.9',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'pull.example.org',
    };
    const trusting = await start({ trustedProxies: ['127.0.0.1'], identity: { addresses } });
    const challenge = await fetch(`${trusting.url}/v2/`, { headers });
    expect(challenge.headers.get('www-authenticate')).toContain('realm="https://pull.example.org/v2/token"');
    expect((await fetch(trusting.url + manifest, { headers })).status).toBe(200);
    expect((await fetch(trusting.url + manifest)).status).toBe(200);
    expect(await byOrg(trusting)).toEqual({ 'lab.example': 1, '-': 1 });
    await trusting.program.stop();

    const distrusting = await start({ identity: { addresses } });
    expect((await fetch(distrusting.url + manifest, { headers })).status).toBe(200);
    expect(await byOrg(distrusting)).toEqual({ 'lab.example': 1, '-': 2 });
  });
});

describe('the answer to rejected credentials', () => {
  const tokenOf = (url: string, password: string, headers: Record<string, string> = {}): Promise<Response> => {
    const authorization = `Basic ${Buffer.from(`x:${password}`).toString('base64')}`;
    return fetch(`${url}/v2/token`, { headers: { ...headers, authorization } });
  };

  test('503 where it is configured that a Platform that is down stops pulls', async () => {
    platform.answer(() => json({}, 500));
    const { url } = await start({ identity: { platform: { endpoint: platform.url, whenDown: 'refuse' } } });
    const answer = await tokenOf(url, platformToken);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '10']);
    expect(await answer.json()).toMatchObject({ errors: [{ code: 'UNAVAILABLE' }] });
    const headers = { authorization: `Bearer ${platformToken}` };
    expect((await fetch(`${url}/v2/lab/team/app/manifests/v1`, { headers })).status).toBe(503);
  });

  test('503 on the API for a token that could not be checked, since it may allow more than an anonymous request', async () => {
    platform.answer(() => 'breaks');
    const { url } = await start();
    const headers = { authorization: `Bearer ${platformToken}` };
    const answer = await fetch(`${url}/api/v1/usage/pulls`, { headers });
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: 'identity_unavailable' });
    expect((await fetch(`${url}/v2/lab/team/app/manifests/v1`, { headers })).status).toBe(200);
  });

  test('429 for too many wrong tokens from one address, behind a proxy by the address that it tells', async () => {
    const { url } = await start({ trustedProxies: ['127.0.0.1'] });
    const from = (client: string, token: string): Promise<number> =>
      tokenOf(url, token, { 'x-forwarded-for': client }).then(({ status }) => status);
    const statuses: number[] = [];
    for (let count = 0; count < 31; count++) statuses.push(await from('192.0.2.9', `made-up-${count}`));
    expect(statuses).toEqual([...Array.from({ length: 30 }, () => 401), 429]);
    expect(await from('192.0.2.10', 'made-up')).toBe(401);
    expect(await from('192.0.2.10', platformToken)).toBe(200);
  });
});

describe('the hash that Wave would have written', () => {
  let redis: RedisServer;
  beforeEach(async () => {
    redis = await startRedis(mkdtempSync(join(directory, 'redis-')));
  });
  afterEach(() => redis.stop());

  async function fields(): Promise<readonly string[]> {
    const lines = (await redis.cli('HGETALL', 'metrics/v1')).split('\n').filter((line) => line !== '');
    return lines.flatMap((name, index) => (index % 2 === 0 ? [`${name}=${lines[index + 1]}`] : [])).toSorted();
  }
  async function fieldsWill(expected: readonly string[]): Promise<void> {
    await eventually('the pull is delivered', async () => (await fields()).length >= expected.length);
    expect(await fields()).toEqual(expected.toSorted());
  }

  test.each([
    ['a static user', 'metrics:metrics-password'],
    ['a Platform token', `whoever:${platformToken}`],
  ])(
    'has seven fields after a pull of %s; three of them grow by one without credentials',
    async (_who, credentials) => {
      await awayFromMidnight();
      const tonnage = await start({ store: { driver: 'redis', url: redis.url } });
      await expect(pull(tonnage, 'metrics:wrong-password')).rejects.toThrow(refused);
      expect(await fields()).toEqual([]);
      await pull(tonnage, credentials);
      const day = new Date().toISOString().slice(0, 10);
      const common = ['pulls/a/amd64', `pulls/d/${day}`, `pulls/a/amd64/d/${day}`];
      const own = [
        'pulls/o/seqera.io',
        'pulls/o/seqera.io/a/amd64',
        `pulls/o/seqera.io/d/${day}`,
        `pulls/o/seqera.io/a/amd64/d/${day}`,
      ];
      await fieldsWill([...common, ...own].map((name) => `${name}=1`));

      await pull(tonnage);
      await eventually('the second pull is delivered', async () =>
        (await fields()).some((field) => field.endsWith('=2')),
      );
      expect(await fields()).toEqual(
        [...common.map((name) => `${name}=2`), ...own.map((name) => `${name}=1`)].toSorted(),
      );

      const before = await fields();
      await expect(pull(tonnage, 'metrics:wrong-password')).rejects.toThrow(refused);
      expect(await fields()).toEqual(before);
      expect(readFileSync(join(directory, 'tonnage.yaml'), 'utf8')).not.toContain(platformToken);
    },
  );
});
