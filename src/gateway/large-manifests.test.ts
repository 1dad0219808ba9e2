import { setImmediate as nextTurn } from 'node:timers/promises';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { digestOf } from '../oci/index.ts';
import { TestGateway } from './testing/gateway.ts';
import { content, image, index, types, type Content } from './testing/images.ts';
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

const digestAt = (round: number, count: number): string => digestOf('sha256', Buffer.from(`${round} ${count}`)).text;

/** An index of `count` manifests. */
function large(round: number, count: number): Content {
  const manifests = Array.from({ length: count }, (_, each) => ({
    mediaType: types.ociImage,
    digest: digestAt(round, each),
    size: 1,
    platform: { os: 'linux', architecture: 'arm64' },
  }));
  return content(types.ociIndex, { schemaVersion: 2, mediaType: types.ociIndex, manifests });
}

const deep = content(types.ociImage, Buffer.from(`{"layers":[],"x":${'['.repeat(1_500_000)}${']'.repeat(1_500_000)}}`));

/** The longest turn of the event loop during `work`, in milliseconds of processor time. */
async function longestTurnMs(work: Promise<unknown>): Promise<number> {
  let isOver = false;
  const over = work.finally(() => (isOver = true));
  let longest = 0;
  while (!isOver) {
    const before = process.threadCpuUsage();
    await nextTurn();
    const { user, system } = process.threadCpuUsage(before);
    longest = Math.max(longest, (user + system) / 1_000);
  }
  await over;
  return longest;
}

it.each([
  ['of 40,000 descriptors', 502, (round: number) => large(round, 40_000)],
  ['of 3 MB of nested lists', 502, () => deep],
  ['of 10,000 descriptors', 200, (round: number) => large(round, 10_000)],
] as const)('a manifest %s gets %i and does not block the event loop', async (_title, status, make) => {
  const turns: number[] = [];
  for (let round = 0; round < 6; round++) {
    lab.put('app', make(round), `v${round}`);
    const answer = gateway.get(`/v2/app/manifests/v${round}`);
    turns.push(await longestTurnMs(answer));
    const { status: got, body } = await answer;
    expect(got).toBe(status);
    expect(body.includes('"code":"UNKNOWN"')).toBe(status === 502);
  }
  // The compiler and other processes disturb some rounds, but not all.
  expect(Math.min(...turns), turns.join(', ')).toBeLessThan(20);
});

it("large manifests do not evict other repositories' links", async () => {
  const child = image({ architecture: 's390x' });
  lab.put('quiet', child);
  lab.put('quiet', index([[child, 's390x']]), 'v1');
  await gateway.get('/v2/quiet/manifests/v1');
  for (let round = 0; round < 12; round++) {
    lab.put('loud', large(100 + round, 10_000), `v${round}`);
    expect((await gateway.get(`/v2/loud/manifests/v${round}`)).status).toBe(200);
  }
  await gateway.get(`/v2/quiet/manifests/${child.digest.text}`);
  expect(gateway.pulls.map(({ arch }) => arch)).toEqual(['s390x']);
  expect(lab.requestsTo('/blobs/')).toEqual([]);
});

it('an ambiguous manifest is rejected and not cached', async () => {
  const text = `{"schemaVersion":2,"mediaType":"${types.ociImage}","layers":[],"LAYERS":[]}`;
  const ambiguous = content(types.ociImage, Buffer.from(text));
  lab.put('app', ambiguous, 'ambiguous');
  for (const reference of ['ambiguous', ambiguous.digest.text]) {
    const answer = await gateway.get(`/v2/app/manifests/${reference}`);
    expect(answer.status).toBe(502);
    expect(answer.body.toString()).toContain('two members');
    expect(answer.headers['docker-content-digest']).toBeUndefined();
  }
});
