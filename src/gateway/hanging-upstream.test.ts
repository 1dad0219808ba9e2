import { afterAll, beforeAll, expect, test } from 'vitest';

import { limits, systemClock } from '../base/index.ts';
import { TestGateway } from './testing/gateway.ts';
import { image } from './testing/images.ts';
import { TestUpstream } from './testing/upstream.ts';

const target = '/v2/app/manifests/v1';

let lab: TestUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  lab = await TestUpstream.start();
  lab.put('app', image({}), 'v1');
  gateway = await TestGateway.start({ lab });
});

afterAll(async () => {
  await gateway.remove();
  await lab.stop();
});

test('a hanging upstream delays a cached tag once for a few seconds, and then not at all', async () => {
  await gateway.get(target);
  gateway.clock.advance(60_000);
  lab.behaviour.intercept = () => true;
  const started = systemClock.monotonic();
  const answers = await Promise.all([gateway.get(target), gateway.get(target), gateway.head(target)]);
  const waitedMs = systemClock.monotonic() - started;
  expect(answers.map(({ status, headers }) => [status, headers.warning])).toEqual(
    answers.map(() => [200, '110 - "Response is Stale"']),
  );
  expect(waitedMs).toBeGreaterThan(limits.tagRevalidateMsMax - 100);
  expect(waitedMs).toBeLessThan(4 * limits.tagRevalidateMsMax);
  expect(lab.requestsTo('/manifests/')).toEqual([`GET ${target}`, `HEAD ${target}`]);
  const again = systemClock.monotonic();
  expect((await gateway.get(target)).status).toBe(200);
  expect(systemClock.monotonic() - again).toBeLessThan(limits.tagRevalidateMsMax);
  expect(gateway.logs.some(({ fields }) => JSON.stringify(fields).includes('TimeoutError'))).toBe(true);
});
