import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import type { Collected, Collector } from './contract.ts';
import { Turns } from '../base/index.ts';
import { Reader } from './reader.ts';

const readerOf = (collect: Collector['collect'], deadlineMs = 60_000) =>
  new Reader({ collector: { collect }, deadlineMs });
const forever = () => new Promise<Collected>(() => undefined);

describe('a read', () => {
  test.each<[string, Collector['collect']]>([
    ['at once', () => []],
    ['later', async () => pause(5, [])],
  ])('resolves with %s', async (_, collect) => {
    expect(await readerOf(collect).read()).toEqual([]);
  });

  test.each<[string, Collector['collect']]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', async () => Promise.reject(new Error('broken'))],
  ])('that %s rejects with the same error, and the next one begins', async (_, collect) => {
    const reader = readerOf(collect);
    await expect(reader.read()).rejects.toThrow('broken');
    expect(reader.busy).toBe(false);
    await expect(reader.read()).rejects.toThrow('broken');
  });

  test('that misses its deadline rejects, and its signal is aborted', async () => {
    let reason: unknown;
    const reader = readerOf((signal) => {
      signal.addEventListener('abort', () => {
        reason = signal.reason;
      });
      return forever();
    }, 30);
    const message = 'expected a response within 30 ms, got none';
    await expect(reader.read()).rejects.toMatchObject({ code: 'source_failed', errorClass: 'timeout', message });
    expect(reason).toMatchObject({ errorClass: 'timeout' });
  });

  test('that hangs blocks the next one until it has ended', async () => {
    let begun = 0;
    let finish: (collected: Collected) => void = () => undefined;
    const reader = readerOf(() => {
      begun++;
      return new Promise((resolve) => (finish = resolve));
    }, 20);
    await expect(reader.read()).rejects.toMatchObject({ errorClass: 'timeout' });
    await expect(reader.read()).rejects.toThrow('BUG: a source was read while its previous read was running');
    expect([begun, reader.busy]).toEqual([1, true]);
    finish([]);
    await vi.waitFor(() => expect(reader.busy).toBe(false), { timeout: 60_000 });
    const next = reader.read();
    finish([]);
    expect(await next).toEqual([]);
    expect(begun).toBe(2);
  });

  test('that fails after its deadline has no effect', async () => {
    const unhandled = vi.fn<() => void>();
    process.on('unhandledRejection', unhandled);
    const reader = readerOf(async () => {
      await pause(40);
      throw new Error('too late');
    }, 10);
    await expect(reader.read()).rejects.toMatchObject({ errorClass: 'timeout' });
    await vi.waitFor(() => expect(reader.busy).toBe(false), { timeout: 60_000 });
    await pause(10);
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  test('can be aborted', async () => {
    const reader = readerOf(forever);
    const reading = reader.read();
    reader.abort();
    await expect(reading).rejects.toMatchObject({ errorClass: 'failed', message: expect.stringContaining('closed') });
  });
});

test('readers that share turns read one after another, the one with the lowest rank first', async () => {
  const turns = new Turns({ runningMax: 1, waitingMax: 3 });
  const order: number[] = [];
  const read = (rank: number) => {
    const collect = async (): Promise<Collected> => {
      order.push(rank);
      return pause(5, []);
    };
    return new Reader({ collector: { collect }, deadlineMs: 60_000, turns, rank }).read();
  };
  await Promise.all([300, 600, 300, 30].map(read));
  expect(order).toEqual([300, 30, 300, 600]);
});
