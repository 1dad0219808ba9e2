import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { limits, Turns } from '../base/index.ts';
import type { Collected, Collector } from './contract.ts';
import { Reader, type ReaderOptions } from './reader.ts';

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

describe('reads that share turns', () => {
  const turnsOf = (waitingMax = 10) => new Turns({ runningMax: 1, waitingMax });
  afterEach(() => void vi.useRealTimers());

  /** A reader whose collector notes when it begins and ends. It ends after `ms`, whether it is aborted or not. */
  const noting = (notes: string[], name: string, ms: number, options: Partial<ReaderOptions>) =>
    new Reader({
      collector: {
        collect: async () => {
          notes.push(`${name} begins`);
          await pause(ms);
          notes.push(`${name} ends`);
          return [];
        },
      },
      deadlineMs: 60_000,
      ...options,
    });

  test('run one after another, and a deadline begins with the turn', async () => {
    const notes: string[] = [];
    const turns = turnsOf();
    const first = noting(notes, 'first', 1_000, { turns });
    // The deadline is shorter than the wait for the turn.
    const second = noting(notes, 'second', 5, { turns, deadlineMs: 900 });
    expect(await Promise.all([first.read(), second.read()])).toEqual([[], []]);
    expect(notes).toEqual(['first begins', 'first ends', 'second begins', 'second ends']);
  });

  test('wait until an aborted read has ended, which fails at its deadline', async () => {
    const notes: string[] = [];
    const turns = turnsOf();
    const slow = noting(notes, 'slow', 200, { turns, deadlineMs: 20 }).read();
    const next = noting(notes, 'next', 5, { turns }).read();
    await expect(slow).rejects.toMatchObject({ errorClass: 'timeout' });
    notes.push('slow fails');
    await next;
    expect(notes).toEqual(['slow begins', 'slow fails', 'slow ends', 'next begins', 'next ends']);
  });

  test('do not wait longer than the limit for an aborted read that does not end', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const turns = turnsOf();
    const hanging = new Reader({ collector: { collect: forever }, deadlineMs: 20, turns }).read();
    let begun = false;
    const next = new Reader({ collector: { collect: () => ((begun = true), []) }, deadlineMs: 20, turns }).read();
    await Promise.all([
      expect(hanging).rejects.toMatchObject({ errorClass: 'timeout' }),
      vi.advanceTimersByTimeAsync(20),
    ]);
    await vi.advanceTimersByTimeAsync(limits.sourceAbortMsMax - 1);
    expect(begun).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await next).toEqual([]);
  });

  test('can be aborted while they wait, and then do not begin', async () => {
    const notes: string[] = [];
    const turns = turnsOf();
    const first = noting(notes, 'first', 50, { turns }).read();
    const waiting = noting(notes, 'waiting', 5, { turns });
    const reading = waiting.read();
    waiting.abort();
    await expect(reading).rejects.toMatchObject({ errorClass: 'failed', message: expect.stringContaining('closed') });
    await first;
    await pause(20);
    expect(notes).toEqual(['first begins', 'first ends']);
  });

  test('fail at once if too many wait', async () => {
    const notes: string[] = [];
    const turns = turnsOf(1);
    const reads = ['first', 'second', 'third'].map((name) => noting(notes, name, 20, { turns }).read());
    await expect(reads[2]).rejects.toMatchObject({ message: expect.stringContaining('too many reads wait') });
    await Promise.all(reads.slice(0, 2));
    expect(notes).not.toContain('third begins');
  });
});
