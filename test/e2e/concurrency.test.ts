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
const content = layer(blobBytes);

let directory: string;
let upstream: DockerUpstream;
let server: Tonnage;
let blob: Descriptor;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'tonnage-e2e-'));
  upstream = await startDockerUpstream(directory);
  const image = await pushImage(upstream.url, 'big', 'v1', { architecture: 'amd64', layers: [content] });
  blob = image.layers[0] ?? image;
  const config = { upstreams: { lab: { url: upstream.url } } };
  // The very first start compiles the program, which takes memory; measure any other start.
  await (await startTonnage(directory, config)).program.stop();
  server = await startTonnage(directory, config);
});
afterAll(async () => {
  await server.program.stop('SIGKILL');
  await upstream.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** Whether the client gets exactly the content of the blob. Comparing costs far less than hashing it for each client. */
async function downloads(agent: Agent): Promise<boolean> {
  const request = get(`${server.url}/v2/lab/big/blobs/${blob.digest}`, { agent });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let bytes = 0;
  let isSame = true;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    isSame &&= chunk.equals(content.subarray(bytes, bytes + chunk.length));
    bytes += chunk.length;
  }
  return isSame && bytes === content.length;
}

test(
  `${clients} cold clients of one blob of 100 MB cost one upstream request and little memory`,
  async () => {
    const before = peakMemoryBytes(server.pid);
    const agent = new Agent({ maxSockets: clients });
    const answers = await Promise.all(Array.from({ length: clients }, () => downloads(agent)));
    agent.destroy();
    expect(answers).toEqual(Array.from({ length: clients }, () => true));
    const asked = (): readonly string[] =>
      upstream.requests().filter((request) => request.startsWith(`GET /v2/big/blobs/${blob.digest}`));
    await eventually('the upstream has said what it was asked', () => asked().length > 0);
    expect(asked()).toEqual([`GET /v2/big/blobs/${blob.digest} 200`]);
    expect(peakMemoryBytes(server.pid) - before).toBeLessThan(growthBytesMax);
  },
  5 * 60_000,
);
