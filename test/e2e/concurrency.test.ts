import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startDockerUpstream, type DockerUpstream } from '../support/docker-upstream.ts';
import { layer, pushImage, type Descriptor } from '../support/images.ts';
import { peakMemoryBytes } from '../support/program.ts';
import { eventually } from '../support/redis.ts';
import { startTonnage, type Tonnage } from '../support/tonnage.ts';

const clients = 50;
const blobBytes = 100 * 1024 * 1024;
/** What they may cost together: twice the blob, where fifty times would be needed to hold it for each. */
const growthBytesMax = 2 * blobBytes;

let directory: string;
let upstream: DockerUpstream;
let server: Tonnage;
let blob: Descriptor;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-e2e-'));
  upstream = await startDockerUpstream(directory);
  const image = await pushImage(upstream.url, 'big', 'v1', { architecture: 'amd64', layers: [layer(blobBytes)] });
  blob = image.layers[0] ?? image;
  const config = { upstreams: { lab: { url: upstream.url } } };
  // The very first start in a checkout carries the compiler of the sources; what is measured is any other one.
  await (await startTonnage(directory, config)).program.stop();
  server = await startTonnage(directory, config);
});
afterAll(async () => {
  await server.program.stop('SIGKILL');
  await upstream.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function download(agent: Agent): Promise<string> {
  const request = get(`${server.url}/v2/lab/big/blobs/${blob.digest}`, { agent });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const hash = createHash('sha256');
  for await (const chunk of response) hash.update(chunk as Buffer);
  return `sha256:${hash.digest('hex')}`;
}

test(
  `${clients} cold clients of one blob of 100 MB cost one upstream request and little memory`,
  async () => {
    const before = peakMemoryBytes(server.pid);
    const agent = new Agent({ maxSockets: clients });
    const digests = await Promise.all(Array.from({ length: clients }, () => download(agent)));
    agent.destroy();
    expect(new Set(digests)).toEqual(new Set([blob.digest]));
    const asked = (): readonly string[] =>
      upstream.requests().filter((request) => request.startsWith(`GET /v2/big/blobs/${blob.digest}`));
    await eventually('the upstream has said what it was asked', () => asked().length > 0);
    expect(asked()).toEqual([`GET /v2/big/blobs/${blob.digest} 200`]);
    expect(peakMemoryBytes(server.pid) - before).toBeLessThan(growthBytesMax);
  },
  5 * 60_000,
);
