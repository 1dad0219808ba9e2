import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { json, startJsonServer, type JsonServer } from '../../src/identity/testing/json-server.ts';
import { startDockerUpstream, type DockerUpstream } from '../support/docker-upstream.ts';
import { pushImage } from '../support/images.ts';
import { buildahPull, podmanPull, startContainerd, type Containerd } from '../support/other-clients.ts';
import { startTonnage, type Tonnage } from '../support/tonnage.ts';

/** Clients other than skopeo pull with and without a login; each pull counts for the right organisation. */
// A short name: podman takes no path above 50 characters.
const directory = mkdtempSync(join(tmpdir(), 'clients-'));
const passwordHash = 'sha256:5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8';
const platformToken = 'eyJ0aWQiOiA0Mn0uc29tZS10b2tlbi1vZi1hLXBsYXRmb3Jt';
/** None runs without: buildah and podman need user namespaces then, and containerd more than that. */
const isRoot = process.getuid?.() === 0;

let upstream: DockerUpstream;
let platform: JsonServer;
let server: Tonnage;
let containerd: Containerd | undefined;

beforeAll(async () => {
  upstream = await startDockerUpstream(directory);
  const images = ['user', 'token', 'nobody', 'wrong'].flatMap((name) => [
    `buildah/${name}`,
    `podman/${name}`,
    `ctr/${name}`,
  ]);
  for (const [index, name] of images.entries()) {
    // An empty tar, of another length each time, so that no two images are the same.
    await pushImage(upstream.url, name, 'v1', { architecture: 'amd64', layers: [Buffer.alloc(1024 * (index + 1))] });
  }
  platform = await startJsonServer();
  platform.answer(({ headers }) =>
    headers.authorization === `Bearer ${platformToken}`
      ? json({ user: { userName: 'metrics', email: 'test_metrics@seqera.io' } })
      : json({}, 401),
  );
  server = await startTonnage(directory, {
    upstreams: { lab: { url: upstream.url } },
    gateway: { anonymous: 'challenge' },
    users: {
      alice: { passwordHash, email: 'alice@example.org' },
      reader: { passwordHash, rights: ['query'] },
    },
    identity: { platform: { endpoint: platform.url } },
  });
  if (isRoot) containerd = await startContainerd(join(directory, 'containerd'));
});
afterAll(async () => {
  await containerd?.stop();
  await server.program.stop();
  await platform.close();
  await upstream.stop();
  rmSync(directory, { recursive: true, force: true });
});

const pull: Readonly<Record<string, (reference: string, credentials?: string) => Promise<void> | undefined>> = {
  buildah: (reference, credentials) => buildahPull(reference, join(directory, 'buildah'), credentials),
  podman: (reference, credentials) => podmanPull(reference, join(directory, 'podman'), credentials),
  ctr: (reference, credentials) => containerd?.pull(reference, credentials),
};

interface Row {
  readonly org: string | null;
  readonly repository: string;
  readonly value: number;
}

/** Pulls of a client's images: `ORG: COUNT` by repository. */
async function pullsOf(client: string): Promise<Readonly<Record<string, string>>> {
  const authorization = `Basic ${Buffer.from('reader:password').toString('base64')}`;
  const answer = await fetch(`${server.url}/api/v1/usage/pulls?by=org,repository`, { headers: { authorization } });
  const { rows } = (await answer.json()) as { rows: readonly Row[] };
  const own = rows.filter(({ repository }) => repository.startsWith(`${client}/`));
  return Object.fromEntries(own.map(({ org, repository, value }) => [repository, `${org}: ${value}`]));
}

describe.skipIf(!isRoot)('as root, which they need', () => {
  test.each(['buildah', 'podman', 'ctr'])('%s logs in and pulls, and stays anonymous and pulls', async (client) => {
    const image = (name: string): string => `127.0.0.1:${server.port}/lab/${client}/${name}:v1`;
    await pull[client]?.(image('user'), 'alice:password');
    await pull[client]?.(image('token'), `whoever:${platformToken}`);
    await pull[client]?.(image('nobody'));
    await expect(pull[client]?.(image('wrong'), 'alice:wrong')).rejects.toThrow(/401|unauthorized|invalid username/i);
    expect(await pullsOf(client)).toEqual({
      [`${client}/user`]: 'example.org: 1',
      [`${client}/token`]: 'seqera.io: 1',
      [`${client}/nobody`]: 'null: 1',
    });
  });
});
