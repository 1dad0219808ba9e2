import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDockerUpstream, type DockerUpstream } from '../support/docker-upstream.ts';
import { layer, pushImage } from '../support/images.ts';
import { sleep } from '../support/program.ts';
import { skopeoPull } from '../support/skopeo.ts';
import { startTonnage, tonnage, type Tonnage } from '../support/tonnage.ts';

const directory = mkdtempSync(join(tmpdir(), 'tonnage-tokens-'));
const passwordHash = `sha256:${createHash('sha256').update('secret').digest('hex')}`;
const root = `Basic ${Buffer.from('root:secret').toString('base64')}`;

/** A Seqera Platform: it knows one token. */
const platformSecret = 'eyJ0aWQiOiAxfS5zZWNyZXQ';
const platform = createServer((request, response) => {
  const isKnown = request.url === '/user-info' && request.headers.authorization === `Bearer ${platformSecret}`;
  response.writeHead(isKnown ? 200 : 401, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(isKnown ? { user: { id: 7, userName: 'carol', email: 'carol@Platform.org' } } : {}));
});

let platformUrl = '';
let upstream: DockerUpstream;
let server: Tonnage;
const config = (): Record<string, unknown> => ({
  upstreams: { lab: { url: upstream.url, tagTtl: '0s', aliases: ['mylab'] } },
  users: { root: { passwordHash, rights: ['query', 'admin'] } },
  gateway: { defaultUpstream: 'lab' },
  identity: { platform: { endpoint: platformUrl } },
  log: { access: true },
});
const at = (name = ''): string[] => ['--data', join(directory, name, 'data')];

beforeAll(async () => {
  upstream = await startDockerUpstream(directory);
  for (const tag of ['v1', 'v2', 'v3']) {
    await pushImage(upstream.url, 'team/app', tag, { architecture: 'amd64', layers: [layer(1_000)] });
  }
  platform.listen(0, '127.0.0.1');
  await once(platform, 'listening');
  const address = platform.address();
  platformUrl = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  server = await startTonnage(directory, config());
});
afterAll(async () => {
  await server.program.stop('SIGTERM');
  await upstream.stop();
  platform.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Makes a token on the command line; answers it with its id. */
async function create(...args: readonly string[]): Promise<{ readonly token: string; readonly id: string }> {
  const { stdout, stderr } = await tonnage(['token', 'create', ...args]);
  const [, id = ''] = /^tonnage: token (\S+); it is not shown again/.exec(stderr) ?? [];
  return { token: stdout.trim(), id };
}

function get(path: string, authorization?: string): Promise<Response> {
  return fetch(`${server.url}${path}`, authorization === undefined ? {} : { headers: { authorization } });
}

const basic = (token: string): string => `Basic ${Buffer.from(`whoever:${token}`).toString('base64')}`;

async function pullsOf(org: string): Promise<number> {
  const answer = await get(`/api/v1/usage/pulls?org=${org}`, root);
  return ((await answer.json()) as { total: number }).total;
}

async function pull(reference: string, ...args: readonly string[]): Promise<void> {
  await skopeoPull(`127.0.0.1:${server.port}/${reference}`, mkdtempSync(join(directory, 'pulled-')), { args });
}

describe('an API token', () => {
  test('is made, listed, used and revoked while the server runs', async () => {
    const { token, id } = await create('--org', 'A.org', '--name', 'ci', '--expires', '90d', ...at());
    expect(token).toMatch(/^tng_api_[a-z2-7]{59}$/);
    const { stdout: table } = await tonnage(['token', 'list', ...at()]);
    expect(table).toMatch(new RegExp(`^${id} +api +ci +a\\.org +pull,query +`, 'm'));
    expect(table).not.toContain(token);
    for (const authorization of [`Bearer ${token}`, basic(token)]) {
      expect((await get('/api/v1/usage/pulls', authorization)).status).toBe(200);
      expect((await get('/api/v1/tokens', authorization)).status).toBe(403);
    }
    await tonnage(['token', 'revoke', id, ...at()]);
    for (const authorization of [`Bearer ${token}`, basic(token)]) {
      expect((await get('/api/v1/usage/pulls', authorization)).status).toBe(401);
    }
    const { stderr } = await tonnage(['token', 'revoke', id, ...at()], { expected: 1 });
    expect(stderr).toContain('responded with 404: id: expected the id of a token, as in the list');
  });

  test('pulls as the password of any user, for its organisation', async () => {
    const { token } = await create('--org', 'login.org', ...at());
    await pull('lab/team/app:v1', '--src-creds', `whoever:${token}`);
    expect(await pullsOf('login.org')).toBe(1);
    await expect(pull('lab/team/app:v1', '--src-creds', `whoever:${token}a`)).rejects.toThrow('unauthorized');
  });

  test('takes what was given out for it along when it is revoked', async () => {
    const { token, id } = await create('--org', 'short.org', ...at());
    const answer = await get('/v2/token', basic(token));
    const { token: pullToken } = (await answer.json()) as { token: string };
    const manifest = '/v2/lab/team/app/manifests/v1';
    expect((await get(manifest, `Bearer ${pullToken}`)).status).toBe(200);
    await tonnage(['token', 'revoke', id, ...at()]);
    expect((await get(manifest, `Bearer ${pullToken}`)).status).toBe(401);
  });

  test('pulls only what is in its scope', async () => {
    const { token } = await create('--scope', 'lab/other/*,lab/team/lib', ...at());
    const answer = await get('/v2/lab/team/app/manifests/v1', basic(token));
    expect([answer.status, await answer.json()]).toEqual([
      403,
      { errors: [{ code: 'DENIED', message: 'these credentials are for other repositories' }] },
    ]);
    const { token: wider } = await create('--scope', 'lab/team/*', ...at());
    expect((await get('/v2/lab/team/app/manifests/v1', basic(wider))).status).toBe(200);
  });

  test.each(['mylab/team/*', 'team/app'])(
    'whose scope is %s pulls what names of images mean by that',
    async (scope) => {
      const { stdout, stderr } = await tonnage(['token', 'create', '--scope', scope, ...at()]);
      expect(stderr).toContain(`It may pull lab/${scope.replace('mylab/', '')}. Use: `);
      for (const name of ['mylab/team/app', 'lab/team/app', 'team/app']) {
        expect((await get(`/v2/${name}/manifests/v1`, basic(stdout.trim()))).status).toBe(200);
      }
    },
  );

  test('whose scope no pull could match is not made', async () => {
    const { stdout, stderr } = await tonnage(['token', 'create', '--scope', 'ghcr.io/team/*', ...at()], {
      expected: 2,
    });
    expect([stdout, stderr]).toEqual([
      '',
      'tonnage: scope: expected a configured upstream and a repository, got "ghcr.io/team/*"; configured upstreams: lab\n',
    ]);
  });

  test('manages tokens elsewhere, where it has the right admin', async () => {
    const { token: admin } = await create('--rights', 'admin', ...at());
    const remote = { env: { TONNAGE_TOKEN: admin } };
    const { stdout } = await tonnage(['token', 'create', '--url', server.url], remote);
    expect((await get('/api/v1/meters', `Bearer ${stdout.trim()}`)).status).toBe(200);
    const less = { env: { TONNAGE_TOKEN: stdout.trim() }, expected: 1 };
    const { stderr } = await tonnage(['token', 'list', '--url', server.url], less);
    expect(stderr).toContain('responded with 403: these credentials do not have the right admin');
  });

  test('ends when its time is over', async () => {
    const use = async (token: string): Promise<number> => (await get('/api/v1/meters', `Bearer ${token}`)).status;
    const createFor = async (lifeMs: number): Promise<{ token: string; end: number; first: number }> => {
      const end = Date.now() + lifeMs;
      const answer = await fetch(`${server.url}/api/v1/tokens`, {
        method: 'POST',
        headers: { authorization: root, 'content-type': 'application/json' },
        body: JSON.stringify({ expiresAt: new Date(end).toISOString() }),
      });
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([201, 'no-store']);
      const { token } = (await answer.json()) as { token: string };
      const first = await use(token);
      // On a machine that stood still meanwhile the first use was no use in its time: the next one lives longer.
      return Date.now() < end ? { token, end, first } : createFor(2 * lifeMs);
    };
    const { token, end, first } = await createFor(1_500);
    expect(first).toBe(200);
    while (Date.now() <= end) await sleep(end - Date.now() + 1);
    expect(await use(token)).toBe(401);
  });
});

describe('a path token', () => {
  test('pulls without a login, for its organisation', async () => {
    const { token } = await create('--path', '--org', 'path.org', ...at());
    await pull(`wt/${token}/lab/team/app:v1`);
    expect(await pullsOf('path.org')).toBe(1);
    await pull(`wt/${token}/team/app:v2`);
    expect(await pullsOf('path.org')).toBe(2);
  });

  test('of a user of the Platform pulls for the organisation that the Platform says', async () => {
    const args = ['token', 'create', '--path', '--platform', ...at()];
    const { stdout } = await tonnage(args, { env: { TONNAGE_PLATFORM_TOKEN: platformSecret } });
    await pull(`wt/${stdout.trim()}/lab/team/app:v1`);
    expect(await pullsOf('platform.org')).toBe(1);
    const wrong = await tonnage(args, { env: { TONNAGE_PLATFORM_TOKEN: 'eyJ0aWQiOiAyfS5vdGhlcg' }, expected: 1 });
    expect(wrong.stderr).toContain(
      'responded with 400: platformToken: expected an access token that the Platform knows',
    );
    expect(server.program.output()).not.toContain(platformSecret);
    expect(filesWith(join(directory, 'data'), platformSecret)).toEqual([]);
  });

  test('is put back into the link to the next page of tags', async () => {
    const { token } = await create('--path', ...at());
    const tags: string[] = [];
    for (let next: string | undefined = `/v2/wt/${token}/lab/team/app/tags/list?n=1`; next !== undefined;) {
      const answer: Response = await get(next);
      tags.push(...((await answer.json()) as { tags: string[] }).tags);
      next = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
    }
    // In the order in which the upstream's file system lists them.
    expect(tags.toSorted()).toEqual(['v1', 'v2', 'v3']);
  });

  test('gives access to nothing else, and only as part of the path', async () => {
    const { token } = await create('--path', '--org', 'path.org', ...at());
    for (const authorization of [`Bearer ${token}`, basic(token)]) {
      expect((await get('/api/v1/usage/pulls', authorization)).status).toBe(401);
      expect((await get('/v2/lab/team/app/manifests/v1', authorization)).status).toBe(401);
    }
    expect((await get(`/v2/wt/${token}/api/v1/usage/pulls`)).status).toBe(404);
    expect((await get(`/v2/wt/${token}/token`)).status).toBe(404);
  });

  test('that is unknown, mistyped or revoked is 404, as at Wave', async () => {
    const { token, id } = await create('--path', ...at());
    await tonnage(['token', 'revoke', id, ...at()]);
    const { token: api } = await create(...at());
    const messages = new Map<string, string>();
    for (const each of [token, api, 'b6ymvmr5e7kl', `${token}a`]) {
      const answer = await get(`/v2/wt/${each}/lab/team/app/manifests/v1`, root);
      const { errors } = (await answer.json()) as { errors: [{ code: string; message: string }] };
      expect([answer.status, errors[0].code]).toEqual([404, 'NAME_UNKNOWN']);
      messages.set(each, errors[0].message);
    }
    const unknown = 'the token in the path is unknown, has expired or was revoked';
    const other = expect.stringMatching(/^the token in the path is an API token, not a path token: /);
    expect([...messages.values()]).toEqual([unknown, other, unknown, 'the token in the path is mistyped']);
  });

  test('shows in no log, answer, metric, page or file', async () => {
    const { token } = await create('--path', '--org', 'hidden.org', ...at());
    const paths = [
      `/v2/wt/${token}/lab/team/app/manifests/v1`,
      `/v2/wt/${token}/lab/team/app/manifests/v9`,
      `/v2/wt/${token}/nowhere.example/app/manifests/v1`,
      `/v2/wt/${token}/NOT-A-NAME/manifests/v1`,
      `/v2/wt/${token}/lab/team/app/blobs/sha256:${'0'.repeat(64)}`,
      `/v2/w%74/${token}/lab/team/app/manifests/v8`,
      `/v2/wt%2F${token}%2Flab/team/app/manifests/v8`,
      `/v2/wt/${token}`,
      `/v2/wt/${token}a/lab/team/app/manifests/v1`,
      `/v2//wt/${token}/lab/team/app/manifests/v1`,
      `/v2/wt/x/wt/${token}/lab/team/app/manifests/v1`,
      `/v2/${token}/lab/team/app/manifests/v1`,
      `/wt/${token}/lab/team/app/manifests/v1`,
      `/v2/token?scope=repository:wt/${token}/lab/team/app:pull`,
      `/${token}`,
      '/',
      '/openapi.json',
      '/readyz',
    ];
    const secret = token.slice('tng_path_'.length);
    for (const path of paths) {
      const answer = await get(path);
      const told = `${JSON.stringify([...answer.headers])}${await answer.text()}`;
      expect(told, path).not.toContain(secret);
    }
    // An error may repeat the name of a meter that the client has sent.
    await get(`/api/v1/usage/${token}?org=${token}`, root);
    await expect(pull(`wt/${token}/lab/team/app:v9`)).rejects.toThrow('manifest unknown');
    expect(await server.metrics()).not.toContain(secret);
    expect(await (await get('/api/v1/tokens', root)).text()).not.toContain(secret);
    expect(await (await get('/api/v1/dimensions/repository', root)).text()).not.toContain(secret);
    expect(server.program.output()).toContain('"path":"/v2/lab/team/app/manifests/v1"');
    expect(server.program.output()).not.toContain(secret);
    expect(filesWith(directory, secret)).toEqual([]);
  });
});

test('the listener of metrics knows no tokens', async () => {
  const { origin } = new URL(server.metricsUrl);
  for (const method of ['GET', 'POST']) {
    expect((await fetch(`${origin}/api/v1/tokens`, { method, headers: { authorization: root } })).status).toBe(404);
  }
});

test('a stopped server finds what the command line has made and revoked meanwhile; a closed gateway lets path tokens in', async () => {
  const home = join(directory, 'stopped');
  const { token } = await create('--path', '--org', 'offline.org', ...at('stopped'));
  const { token: gone, id } = await create('--rights', 'query', ...at('stopped'));
  const { token: kept } = await create('--rights', 'query', ...at('stopped'));
  await tonnage(['token', 'revoke', id, ...at('stopped')]);
  const other = await startTonnage(home, { ...config(), gateway: { anonymous: false } });
  try {
    const status = async (bearer: string) =>
      (await fetch(`${other.url}/api/v1/meters`, { headers: { authorization: `Bearer ${bearer}` } })).status;
    expect([await status(gone), await status(kept)]).toEqual([401, 200]);
    const target = join(home, 'pulled');
    await skopeoPull(`127.0.0.1:${other.port}/wt/${token}/lab/team/app:v1`, target);
    await expect(skopeoPull(`127.0.0.1:${other.port}/lab/team/app:v1`, target)).rejects.toThrow('unauthorized');
    expect(statSync(join(home, 'data', 'tonnage.sock')).mode & 0o777).toBe(0o600);
  } finally {
    await other.program.stop('SIGTERM');
  }
  expect(filesWith(home, token)).toEqual([]);
});

test('a server that was killed leaves a socket that the next one replaces', async () => {
  const home = join(directory, 'killed');
  const first = await startTonnage(home, config());
  await first.program.stop('SIGKILL');
  await create(...at('killed'));
  const second = await startTonnage(home, config());
  await create(...at('killed'));
  const { stdout } = await tonnage(['token', 'list', '--format', 'json', ...at('killed')]);
  expect((JSON.parse(stdout) as { tokens: unknown[] }).tokens).toHaveLength(2);
  await second.program.stop('SIGTERM');
});

/** All files below a directory that contain the text. A running server may remove files at the same time. */
function filesWith(folder: string, text: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => existsSync(file) && readFileSync(file).includes(text));
}
