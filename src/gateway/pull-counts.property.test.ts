import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';

import type { MetricFamily } from '../metric/index.ts';
import { TestGateway } from './testing/gateway.ts';
import { image, index } from './testing/images.ts';
import { TestUpstream } from './testing/upstream.ts';

const single = image({ name: 'single' });
const other = image({ name: 'other', architecture: 'arm64' });
const references = ['v1', 'v2', 'list', single.digest.text, other.digest.text, 'none', '.bad'];

let upstreams: Readonly<Record<string, TestUpstream>>;
let gateway: TestGateway;

beforeAll(async () => {
  upstreams = { lab: await TestUpstream.start(), mirror: await TestUpstream.start() };
  for (const upstream of Object.values(upstreams)) {
    upstream.put('app', single, 'v1');
    upstream.put('app', other, 'v2');
    upstream.put('app', index([[single, 'amd64']]), 'list');
  }
  gateway = await TestGateway.start(upstreams);
});

afterAll(async () => {
  await gateway.remove();
  for (const upstream of Object.values(upstreams)) await upstream.stop();
});

/** An event between two scrapes. */
const action = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      method: fc.constantFrom('GET', 'GET', 'HEAD'),
      upstream: fc.constantFrom('lab', 'mirror', 'unknown.example'),
      reference: fc.constantFrom(...references),
      ifNoneMatch: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1_000, 70_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail' as const), failing: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('settle' as const) }) },
);

/** The values of a family by upstream, from an exposition. */
function read(families: readonly MetricFamily[], name: string): ReadonlyMap<string, number> {
  const family = families.find((each) => each.name === `tonnage_gateway_${name}`);
  if (family?.type !== 'counter') throw new Error(`there is no counter ${name}`);
  return new Map([...family.points].map(({ labels, value }) => [labels.get('upstream') ?? '', Number(value)]));
}

it('in every scrape, whatever is in flight, cached and upstream pulls sum up to all manifest pulls', async () => {
  let expected = 0;
  let scrapes = 0;

  async function check(): Promise<void> {
    const families = gateway.metrics.gather();
    // An exposition is encoded in several turns of the event loop, while pulls continue.
    const cached = read(families, 'cached_pulls');
    await new Promise((resolve) => setImmediate(resolve));
    const fetched = read(families, 'upstream_pulls');
    await new Promise((resolve) => setImmediate(resolve));
    for (const [upstream, total] of read(families, 'manifest_pulls')) {
      expect((cached.get(upstream) ?? 0) + (fetched.get(upstream) ?? 0)).toBe(total);
    }
    scrapes++;
  }

  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 25 }), async (actions) => {
      const running: Promise<void>[] = [];
      for (const each of actions) {
        if (each.kind === 'wait') gateway.clock.advance(each.ms);
        else if (each.kind === 'settle') await Promise.all(running.splice(0));
        else if (each.kind === 'fail') {
          for (const upstream of Object.values(upstreams)) {
            upstream.behaviour = each.failing
              ? { intercept: (_request, response) => response.writeHead(500).end() !== undefined }
              : {};
          }
        } else {
          const path = `/v2/${each.upstream}/app/manifests/${each.reference}`;
          const headers = each.ifNoneMatch ? { 'if-none-match': `"${single.digest.text}"` } : {};
          const asked = gateway.ask(each.method, path, headers).then(({ status }) => {
            if (each.method === 'GET' && status === 200) expected++;
          });
          running.push(asked);
        }
        await check();
      }
      await Promise.all(running);
      await check();
      const families = gateway.metrics.gather();
      expect([...read(families, 'manifest_pulls').values()].reduce((sum, value) => sum + value, 0)).toBe(expected);
    }),
    { numRuns: 30 },
  );
  expect(scrapes).toBeGreaterThan(100);
  expect(expected).toBeGreaterThan(0);
});
