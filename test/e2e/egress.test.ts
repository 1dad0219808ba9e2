import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDockerUpstream, type DockerUpstream } from '../support/docker-upstream.ts';
import { layer, pushImage, type PushedImage } from '../support/images.ts';
import { startTonnage, type Tonnage } from '../support/tonnage.ts';

/** The bytes that clients of the real program have received, and the bytes that it has counted. */
let directory: string;
let upstream: DockerUpstream;
let server: Tonnage;
let image: PushedImage;
const received = new Map<string, number>();

const config = (): Record<string, unknown> => ({ upstreams: { lab: { url: upstream.url } } });
const repositories = ['team/app', 'team/other'] as const;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-egress-'));
  upstream = await startDockerUpstream(directory);
  const layers = [layer(20_000_000), layer(300_000), layer(100)];
  for (const repository of repositories) {
    image = await pushImage(upstream.url, repository, 'v1', { architecture: 'amd64', layers });
  }
  server = await startTonnage(directory, config());
});
afterAll(async () => {
  await server.program.stop('SIGKILL');
  await upstream.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** Gets something of a repository, and remembers how long the body was. */
async function get(repository: string, path: string, init: RequestInit = {}): Promise<void> {
  const response = await fetch(`${server.url}/v2/lab/${repository}/${path}`, init);
  const { byteLength } = await response.bytes();
  if (response.ok) received.set(repository, (received.get(repository) ?? 0) + byteLength);
}

async function egress(): Promise<ReadonlyMap<unknown, unknown>> {
  const response = await fetch(`${server.url}/api/v1/usage/egress_bytes?by=repository`);
  const { rows } = (await response.json()) as { readonly rows: readonly Record<string, unknown>[] };
  return new Map(rows.map((row) => [row['repository'], row['value']]));
}

test('are the same by repository, to the byte, and none is lost by a stop', async () => {
  const blobs = [image.config, ...image.layers].map(({ digest }) => `blobs/${digest}`);
  const largest = `blobs/${image.layers[0]?.digest}`;
  await Promise.all(
    repositories.flatMap((repository) => [
      ...['manifests/v1', `manifests/${image.digest}`, 'manifests/none', ...blobs, ...blobs].map((path) =>
        get(repository, path),
      ),
      get(repository, largest, { headers: { range: 'bytes=5-1000004' } }),
    ]),
  );
  await get('team/app', largest, { method: 'HEAD' });
  await get('team/app', largest, { headers: { 'if-none-match': '*' } });
  await expect.poll(egress, { timeout: 60_000 }).toEqual(received);

  await get('team/other', 'manifests/v1');
  await get('team/other', largest);
  expect(await server.program.stop('SIGTERM')).toBe(0);
  server = await startTonnage(directory, config());
  expect(await egress()).toEqual(received);
  expect(await server.metrics()).toContain('tonnage_usage_total{meter="egress_bytes",org="",arch=""} ');
});
