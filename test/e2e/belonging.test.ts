import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { registryUser, startDockerUpstream, type DockerUpstream } from '../support/docker-upstream.ts';
import { startGatedProxy, type GatedProxy } from '../support/gated-proxy.ts';
import { digestOf, layer, pushImage } from '../support/images.ts';
import { eventually } from '../support/redis.ts';
import { startTonnage, type Tonnage } from '../support/tonnage.ts';

/**
 * Where a layer may be read that came in through `team/app` of a real registry, which keeps blobs by repository. `open`
 * lets everybody in. `vault` wants a password, which the gateway has. `outside` is the same registry without it. `mirror`
 * is a further one.
 */
const layerBytes = 4_000_000;
const heldAtBytes = 1_000_000;
const states = ['cached', 'in flight'] as const;
const layers = {
  open: { cached: layer(layerBytes), 'in flight': layer(layerBytes) },
  vault: { cached: layer(layerBytes), 'in flight': layer(layerBytes) },
};
const own = { open: layer(1_000), vault: layer(1_000), mirror: layer(1_000) };

let directory: string;
const upstreams: DockerUpstream[] = [];
let proxies: { readonly open: GatedProxy; readonly vault: GatedProxy; readonly mirror: GatedProxy };
let server: Tonnage;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-belonging-'));
  const image = (...content: readonly Buffer[]) => ({ architecture: 'amd64', layers: content });
  const started = async (name: keyof typeof own): Promise<GatedProxy> => {
    const folder = join(directory, name);
    let upstream = await startDockerUpstream(folder);
    if (name === 'mirror') {
      for (const { cached, 'in flight': moving } of Object.values(layers)) {
        await pushImage(upstream.url, 'copies/app', digestOf(cached).slice(7), image(cached, moving));
      }
    } else {
      const { cached, 'in flight': moving } = layers[name];
      for (const repository of ['team/app', 'team/shared']) {
        await pushImage(upstream.url, repository, 'v1', image(cached, moving));
      }
    }
    await pushImage(upstream.url, 'team/other', 'v1', image(own[name]));
    if (name === 'vault') {
      await upstream.stop();
      upstream = await startDockerUpstream(folder, upstream.port, undefined, { locked: true });
    }
    upstreams.push(upstream);
    return startGatedProxy(upstream.url);
  };
  proxies = { open: await started('open'), vault: await started('vault'), mirror: await started('mirror') };
  server = await startTonnage(directory, {
    upstreams: {
      open: { url: proxies.open.url },
      vault: { url: proxies.vault.url, auth: { basic: registryUser } },
      outside: { url: proxies.vault.url },
      mirror: { url: proxies.mirror.url },
    },
  });
});

afterAll(async () => {
  await server.program.stop('SIGKILL');
  for (const proxy of Object.values(proxies)) await proxy.stop();
  for (const upstream of upstreams) await upstream.stop();
  rmSync(directory, { recursive: true, force: true });
});

interface Seen {
  readonly status: number;
  readonly body: Buffer;
}

async function read(repository: string, digest: string, headers: Record<string, string> = {}): Promise<Seen> {
  const response = await fetch(`${server.url}/v2/${repository}/blobs/${digest}`, { headers });
  return { status: response.status, body: Buffer.from(await response.arrayBuffer()) };
}

describe.each(['open', 'vault'] as const)('a layer of %s', (source) => {
  describe.each(states)('that is %s', (state) => {
    const content = layers[source][state];
    const digest = digestOf(content);
    const proxy = (): GatedProxy => proxies[source];
    const asked = (): readonly string[] => proxy().requests.filter((request) => request.endsWith(digest));
    let open: () => void = () => undefined;
    let first: Promise<Seen>;

    beforeAll(async () => {
      for (const repository of [`${source}/team/app`, `${source}/team/shared`, `${source}/team/other`]) {
        await fetch(`${server.url}/v2/${repository}/manifests/v1`);
      }
      if (state === 'in flight') open = proxy().hold('team/app', heldAtBytes);
      first = read(`${source}/team/app`, digest);
      if (state === 'cached') await first;
      else await eventually('the layer is on its way', () => asked().length === 1);
    });

    afterAll(() => open());

    test.each([
      ['another repository', `${source}/team/other`, 404],
      ['a repository that does not exist', `${source}/team/none`, 404],
      ['another upstream without the layer', 'mirror/team/other', 404],
      ['a registry that wants a password, asked without it', 'outside/team/app', 502],
    ] as const)('is not served in %s', async (_title, repository, status) => {
      for (const headers of [{}, { range: 'bytes=0-99' }, { range: 'bytes=-100' }]) {
        const seen = await read(repository, digest, headers);
        expect(seen.status).toBe(status);
        expect(seen.body.includes(content.subarray(0, 50))).toBe(false);
      }
    });

    test('is served in another upstream that has it, which sends it itself', async () => {
      expect((await read('mirror/copies/app', digest)).body.equals(content)).toBe(true);
      expect((await read('mirror/copies/app', digest)).body.equals(content)).toBe(true);
      const requests = proxies.mirror.requests.filter((request) => request.endsWith(`copies/app/blobs/${digest}`));
      expect(requests).toEqual([`GET /v2/copies/app/blobs/${digest}`]);
    });

    test('is served in another repository that has it, and in its own, out of one download', async () => {
      const shared = read(`${source}/team/shared`, digest);
      if (state === 'in flight') {
        await eventually('the second repository is confirmed', () => asked().some((line) => line.startsWith('HEAD')));
      }
      open();
      for (const seen of [await first, await shared, await read(`${source}/team/app`, digest)]) {
        expect([seen.status, seen.body.equals(content)]).toEqual([200, true]);
      }
      expect((await read(`${source}/team/shared`, digest)).body.equals(content)).toBe(true);
      const has = (line: string): boolean => /team\/(app|shared)\//.test(line);
      const lines = asked().filter(has);
      expect(lines.filter((line) => line.includes('GET /v2/team/shared'))).toEqual([]);
      expect(lines.filter((line) => line.startsWith('HEAD'))).toHaveLength(1);
      expect(lines.filter((line) => line.startsWith('GET /v2/team/app'))).not.toEqual([]);
    });
  });

  test('has a manifest that is served by digest in its own repository, and in no other', async () => {
    const manifest = await fetch(`${server.url}/v2/${source}/team/app/manifests/v1`);
    const digest = manifest.headers.get('docker-content-digest') ?? '';
    const statusIn = async (repository: string): Promise<number> =>
      (await fetch(`${server.url}/v2/${repository}/manifests/${digest}`)).status;
    expect(await statusIn(`${source}/team/app`)).toBe(200);
    expect(await statusIn(`${source}/team/other`)).toBe(404);
    expect(await statusIn('mirror/team/other')).toBe(404);
    expect(await statusIn('outside/team/app')).toBe(502);
  });
});
