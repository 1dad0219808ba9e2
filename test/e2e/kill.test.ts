import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDockerUpstream, type DockerUpstream } from '../support/docker-upstream.ts';
import { layer, pushImage } from '../support/images.ts';
import { scaled } from '../support/long.ts';
import { startTonnage, type Tonnage } from '../support/tonnage.ts';

let directory: string;
let upstream: DockerUpstream;
let server: Tonnage;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-e2e-'));
  upstream = await startDockerUpstream(directory);
  await pushImage(upstream.url, 'app', 'v1', { architecture: 'amd64', layers: [layer(1_000)] });
});
afterAll(async () => {
  await server.program.stop('SIGKILL');
  await upstream.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function pull(): Promise<void> {
  const response = await fetch(`${server.url}/v2/lab/app/manifests/v1`);
  await response.arrayBuffer();
  expect(response.status).toBe(200);
}

test('every pull that was answered is counted, however often the server is killed right after', async () => {
  const rounds = scaled(2, 10);
  const pulls = 200;
  const config = { upstreams: { lab: { url: upstream.url } } };
  for (let round = 1; round <= rounds; round++) {
    server = await startTonnage(directory, config);
    for (let done = 0; done < pulls; done += 20) await Promise.all(Array.from({ length: 20 }, pull));
    server.program.child.kill('SIGKILL');
    await once(server.program.child, 'close');

    server = await startTonnage(directory, config);
    expect((await server.pulls()).total).toBe(round * pulls);
    expect(await server.metrics()).toContain(
      `tonnage_usage_total{meter="pulls",org="",arch="amd64"} ${round * pulls}\n`,
    );
    await server.program.stop('SIGKILL');
  }
});
