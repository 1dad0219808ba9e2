import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { endsWithin, unlessAborted, within } from './deadline.ts';

const late = () => new Error('late');
const never = new Promise<never>(() => undefined);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('work that ends in time hands its result or its error on', async () => {
  expect(await endsWithin(100, Promise.resolve())).toBe(true);
  expect(await within(100, Promise.resolve('done'), late)).toBe('done');
  await expect(endsWithin(100, Promise.reject(new Error('no')))).rejects.toThrow('no');
  await expect(within(100, Promise.reject(new Error('no')), late)).rejects.toThrow('no');
  expect(vi.getTimerCount()).toBe(0);
});

test('work that takes longer is late', async () => {
  const ended = endsWithin(100, never);
  const failed = within(100, never, late).catch(String);
  await vi.advanceTimersByTimeAsync(100);
  expect(await ended).toBe(false);
  expect(await failed).toBe('Error: late');
});

test('an error of late work is ignored', async () => {
  const { promise, reject } = Promise.withResolvers<void>();
  const ended = endsWithin(100, promise);
  await vi.advanceTimersByTimeAsync(100);
  expect(await ended).toBe(false);
  reject(new Error('too late for anyone to handle'));
  await vi.advanceTimersByTimeAsync(1);
});

test('work goes on unless its signal aborts', async () => {
  const ending = new AbortController();
  expect(await unlessAborted(Promise.resolve('done'), ending.signal)).toBe('done');
  expect(await unlessAborted(Promise.resolve('done'), undefined)).toBe('done');
  const aborted = unlessAborted(never, ending.signal);
  ending.abort(new Error('left'));
  await expect(aborted).rejects.toThrow('left');
  await expect(unlessAborted(Promise.resolve('done'), ending.signal)).rejects.toThrow('left');
  const wrapped = unlessAborted(never, ending.signal, (reason) => new Error(`wrapped: ${String(reason)}`));
  await expect(wrapped).rejects.toThrow('wrapped: Error: left');
});
