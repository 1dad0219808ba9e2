import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Clock } from '../base/index.ts';
import { repeat } from './schedule.ts';

// Uses fake timers, so that the result does not depend on the machine.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }));
afterEach(() => void vi.useRealTimers());

const clock: Clock = { now: () => Date.now(), monotonic: () => Date.now() };
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Repeats a task of `taskMs` for `forMs`. Returns the start times and the most concurrent runs. */
async function run(taskMs: number, intervalMs: number, forMs: number) {
  const beginnings: number[] = [];
  let running = 0;
  let together = 0;
  const origin = clock.monotonic();
  const task = async () => {
    beginnings.push(clock.monotonic() - origin);
    together = Math.max(together, ++running);
    await pause(taskMs);
    running--;
  };
  const schedule = repeat(task, intervalMs, clock);
  await vi.advanceTimersByTimeAsync(forMs);
  schedule.end();
  return { beginnings, together };
}

test('the first run is at once, the next one interval later', async () => {
  expect(await run(10, 50, 180)).toEqual({ beginnings: [0, 50, 100, 150], together: 1 });
});

test('a run that takes longer than the interval is followed by a pause and never overlaps another', async () => {
  // Skips one interval: runs at every second one.
  expect(await run(70, 50, 390)).toEqual({ beginnings: [0, 100, 200, 300], together: 1 });
});

test('nothing runs after the stop, even if it comes during a run', async () => {
  let runs = 0;
  const schedule = repeat(
    async () => {
      runs++;
      await pause(20);
    },
    10,
    clock,
  );
  schedule.end();
  await vi.advanceTimersByTimeAsync(80);
  expect(runs).toBe(1);
});

test('the time until the next run is 0 during a run, also a long one', async () => {
  const schedule = repeat(() => pause(70), 50, clock);
  const left: number[] = [];
  for (const ms of [0, 60, 10, 29, 1]) {
    await vi.advanceTimersByTimeAsync(ms);
    left.push(schedule.untilNextMs());
  }
  schedule.end();
  expect(left).toEqual([0, 0, 30, 1, 0]);
});
