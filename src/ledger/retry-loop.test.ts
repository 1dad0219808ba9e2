import { afterEach, expect, test } from 'vitest';
import { eventually } from '../../test/support/redis.ts';
import { systemClock } from '../base/index.ts';
import { RetryLoop, type Failure, type RetriedWork } from './retry-loop.ts';

const loops: RetryLoop[] = [];

afterEach(async () => {
  for (const loop of loops.splice(0)) await loop.close(0);
});

/** Starts a loop whose steps find nothing to do, unless `work` says otherwise. */
function start(work: Partial<RetriedWork>): RetryLoop {
  const nothing = {
    prepare: () => Promise.resolve(),
    step: () => Promise.resolve(true),
    onFailure: () => undefined,
    hasWork: () => false,
    idleMs: 60_000,
  };
  const loop = new RetryLoop({ ...nothing, ...work }, systemClock);
  loops.push(loop);
  loop.start();
  return loop;
}

test('steps follow each other without a pause while there is work, after one preparation', async () => {
  const calls: string[] = [];
  start({
    prepare: () => Promise.resolve(void calls.push('prepare')),
    step: () => Promise.resolve(calls.push('step') === 4),
  });
  await eventually('the loop is idle', () => calls.length === 4);
  expect(calls).toEqual(['prepare', 'step', 'step', 'step']);
});

test('work that arrives during the last step is done at once, without a preparation', async () => {
  const calls: string[] = [];
  const loop = start({
    prepare: () => Promise.resolve(void calls.push('prepare')),
    step: async () => {
      if (calls.push('step') === 2) loop.wake();
      return true;
    },
  });
  await eventually('the second step ran', () => calls.length === 3);
  loop.wake();
  await eventually('the third step ran', () => calls.length === 4);
  expect(calls).toEqual(['prepare', 'step', 'step', 'step']);
});

test('an undisturbed idle pause ends with a preparation', async () => {
  const calls: string[] = [];
  start({
    prepare: () => Promise.resolve(void calls.push('prepare')),
    step: () => Promise.resolve(calls.push('step') > 0),
    idleMs: 1,
  });
  await eventually('the loop has prepared twice', () => calls.length >= 4);
  expect(calls.slice(0, 4)).toEqual(['prepare', 'step', 'prepare', 'step']);
});

test('a failed step is retried after a preparation; failures count until a step succeeds', async () => {
  const failures: Failure[] = [];
  const messages = ['away', 'away', 'busy'];
  let prepared = 0;
  const loop = start({
    prepare: () => Promise.resolve(void prepared++),
    step: async () => {
      const message = messages[failures.length];
      if (message !== undefined) throw new Error(message);
      return true;
    },
    onFailure: (_error, failure) => void failures.push(failure),
  });
  await eventually('the first step has failed', () => loop.failure === 'away');
  await eventually('a step has succeeded', () => failures.length === 3 && loop.failure === undefined);
  expect(failures).toEqual([
    { message: 'away', count: 1, isNew: true },
    { message: 'away', count: 2, isNew: false },
    { message: 'busy', count: 3, isNew: true },
  ]);
  expect(prepared).toBe(4);
});

test('a failed preparation is a failure too: no step runs before it succeeds', async () => {
  const calls: string[] = [];
  const loop = start({
    prepare: async () => {
      if (calls.push('prepare') === 1) throw new Error('away');
    },
    step: () => Promise.resolve(calls.push('step') > 0),
    onFailure: (_error, { message, count }) => void calls.push(`${message} ${count}`),
  });
  await eventually('a step has succeeded', () => calls.includes('step') && loop.failure === undefined);
  expect(calls).toEqual(['prepare', 'away 1', 'prepare', 'step']);
});

test('a close waits for work up to its limit, and cuts a retry short', async () => {
  let left = 3;
  const busy = start({
    step: async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return --left === 0;
    },
    hasWork: () => left > 0,
  });
  await busy.close(60_000);
  expect(left).toBe(0);
  let tries = 0;
  const failing = start({
    step: () => Promise.reject(new Error(`away ${++tries}`)),
    hasWork: () => true,
  });
  await eventually('retries have become rare', () => tries >= 4);
  const [began, before] = [systemClock.monotonic(), tries];
  await failing.close(1);
  expect(systemClock.monotonic() - began).toBeLessThan(700);
  expect(tries).toBe(before);
});
