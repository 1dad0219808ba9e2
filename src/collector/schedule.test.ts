import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { systemClock } from '../base/index.ts';
import { repeat } from './schedule.ts';

/** Runs a task that takes `taskMs`, for `forMs`; answers when it began each time, and how many ran at once at most. */
async function run(taskMs: number, intervalMs: number, forMs: number) {
  const beginnings: number[] = [];
  let running = 0;
  let together = 0;
  const origin = systemClock.monotonic();
  const task = async () => {
    beginnings.push(systemClock.monotonic() - origin);
    together = Math.max(together, ++running);
    await pause(taskMs);
    running--;
  };
  const end = repeat(task, intervalMs, systemClock);
  await pause(forMs);
  end();
  return { beginnings, together };
}

test('the first beat is at once, the next one interval later', async () => {
  const { beginnings } = await run(0, 50, 180);
  expect(beginnings[0]).toBeLessThan(20);
  expect(beginnings.length).toBeGreaterThanOrEqual(2);
  expect(beginnings.length).toBeLessThanOrEqual(4);
});

test('a run that takes longer than the interval is followed by a pause, never joined by another', async () => {
  const { beginnings, together } = await run(70, 50, 400);
  expect(together).toBe(1);
  expect(beginnings.length).toBeGreaterThanOrEqual(2);
  const gaps = beginnings.slice(1).map((at, index) => at - beginnings[index]!);
  // It leaves out one beat: it runs at every second one.
  expect(Math.min(...gaps)).toBeGreaterThan(90);
});

test('nothing runs after the end, also when it comes in the middle of a run', async () => {
  let runs = 0;
  const end = repeat(
    async () => {
      runs++;
      await pause(20);
    },
    10,
    systemClock,
  );
  end();
  await pause(80);
  expect(runs).toBe(1);
});
