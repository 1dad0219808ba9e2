import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { pause, WakeablePause } from './pause.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a pause lasts as long as it was asked to', async () => {
  const rest = new WakeablePause();
  let isWoken: boolean | undefined;
  const waiting = rest.wait(100).then((woken) => (isWoken = woken));
  await vi.advanceTimersByTimeAsync(99);
  expect(isWoken).toBeUndefined();
  await vi.advanceTimersByTimeAsync(1);
  expect(await waiting).toBe(false);
});

test('wake ends a pause at once, and leaves no timer behind', async () => {
  const rest = new WakeablePause();
  const waiting = rest.wait(60_000);
  rest.wake();
  expect(await waiting).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test('wake has no effect on later pauses', async () => {
  const rest = new WakeablePause();
  rest.wake();
  const waiting = rest.wait(100);
  await vi.advanceTimersByTimeAsync(100);
  expect(await waiting).toBe(false);
  rest.wake();
  const again = rest.wait(100);
  await vi.advanceTimersByTimeAsync(100);
  expect(await again).toBe(false);
});

test('a signal ends a pause, and one that has aborted allows none', async () => {
  const ending = new AbortController();
  const waiting = pause(60_000, ending.signal);
  ending.abort();
  await waiting;
  await pause(60_000, ending.signal);
  expect(vi.getTimerCount()).toBe(0);
});

test('a signal that does not abort lets the pause end by itself', async () => {
  const waiting = pause(100, new AbortController().signal);
  await vi.advanceTimersByTimeAsync(100);
  await waiting;
});
