import { expect, it } from 'vitest';

import { TestClock } from '../testing/gateway.ts';
import { RecordingMeter } from '../testing/meter.ts';
import { statusLabel } from '../status-label.ts';
import { UpstreamError } from './failure.ts';
import { rateLimitRemaining, withMeter } from './metering.ts';

it.each([
  [{ 'ratelimit-remaining': '76' }, 76],
  [{ 'ratelimit-remaining': '76;w=21600' }, 76],
  [{ 'ratelimit-remaining': '0' }, 0],
  [{ 'x-ratelimit-remaining': '4999' }, 4999],
  [{ ratelimit: 'limit=100, remaining=50, reset=5' }, 50],
  [{ ratelimit: '"default";r=50;t=30' }, 50],
  [{ 'ratelimit-remaining': 'many' }, undefined],
  [{ 'ratelimit-remaining': '-1' }, undefined],
  [{ ratelimit: 'limit=100' }, undefined],
  [{}, undefined],
])('%j has %s remaining requests', (headers, expected) => {
  expect(rateLimitRemaining({ headers })).toBe(expected);
});

it.each([
  [200, '200'],
  [429, '429'],
  [418, '4xx'],
  [599, '5xx'],
  [999, 'other'],
])('status %s has the label %s', (status, label) => {
  expect(statusLabel(status)).toBe(label);
});

const request = { method: 'GET', url: new URL('http://lab.example/v2/'), headers: {}, repository: 'app' } as const;

it.each([
  ['a failure', undefined, 1],
  ['a client that has disconnected', AbortSignal.abort(), 0],
  ['a deadline', AbortSignal.abort(new DOMException('late', 'TimeoutError')), 1],
])('%s', async (_name, signal, lost) => {
  const meter = new RecordingMeter();
  const send = withMeter(() => Promise.reject(new UpstreamError('unreachable', 'no')), meter, {
    origin: 'http://lab.example',
    clock: new TestClock(),
  });
  await expect(send({ ...request, ...(signal && { signal }) })).rejects.toThrow('no');
  expect(meter.lost).toBe(lost);
});
