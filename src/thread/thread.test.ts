import { afterEach, describe, expect, test } from 'vitest';
import type { Log } from '../base/index.ts';
import type { TestFunctions } from './testing/service.ts';
import { moduleBeside, Thread } from './index.ts';

const lines: unknown[] = [];
const note = (level: keyof Log) => (fields: object, message: string) => void lines.push([level, fields, message]);
const log: Log = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };
const file = moduleBeside(import.meta.url, 'testing/service');
const started: Thread<TestFunctions>[] = [];

function start(data: unknown = 'data'): Thread<TestFunctions> {
  const thread = new Thread<TestFunctions>({ file, name: 'test', data, failure: 'unavailable', log });
  started.push(thread);
  return thread;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((thread) => thread.terminate()));
  lines.length = 0;
});

describe('a thread', () => {
  test('returns to each of several concurrent calls its own result', async () => {
    const thread = start();
    const inputs = [1, 'two', null, [3n, { four: new Date(4) }], new Map([[5, undefined]])];
    expect(await Promise.all(inputs.map((input) => thread.call('echo', input)))).toEqual(inputs);
  });

  test('answers a short call while a long one is in flight', async () => {
    const thread = start();
    const order: number[] = [];
    await Promise.all([300, 1].map(async (ms) => order.push(await thread.call('later', { ms }))));
    expect(order).toEqual([1, 300]);
  });

  test('passes errors on: a TonnageError keeps its code, any other error gets the code `failure`', async () => {
    const thread = start();
    await expect(thread.call('fail', { own: true })).rejects.toMatchObject({
      name: 'TonnageError',
      code: 'query_deadline',
      message: 'too late',
    });
    await expect(thread.call('fail', { own: false })).rejects.toMatchObject({
      code: 'unavailable',
      message: 'a mistake',
    });
    await expect(thread.call('failLater', undefined)).rejects.toMatchObject({ code: 'query_too_large' });
    await expect(thread.call('unclonable', undefined)).rejects.toThrow(/could not be cloned/);
    await expect(thread.call('echo', () => undefined)).rejects.toThrow(/could not be cloned/);
    expect(await thread.call('echo', 'well')).toBe('well');
  });

  test('takes over the buffers in `transfer`', async () => {
    const bytes = new Uint8Array(1000);
    expect(await start().call('bytes', bytes, [bytes.buffer])).toBe(1000);
    expect(bytes.byteLength).toBe(0);
  });

  test('writes to the log of the process before it returns the result', async () => {
    await start().call('log', { fields: { day: 1n, list: ['a'] } });
    expect(lines).toEqual([['warn', { day: 1n, list: ['a'] }, 'from the thread']]);
  });

  test('that dies rejects its calls in flight, and the next call starts a new one', async () => {
    const thread = start();
    const calls = [thread.call('later', { ms: 60_000 }), thread.call('exit', undefined)];
    const ended = { code: 'unavailable', message: 'the thread test has exited' };
    for (const each of await Promise.allSettled(calls))
      expect(each).toMatchObject({ status: 'rejected', reason: ended });
    expect(await thread.call('echo', 'again')).toBe('again');
  });

  test('that is terminated rejects its calls in flight', async () => {
    const thread = start();
    const call = thread.call('later', { ms: 60_000 });
    await Promise.all([
      thread.terminate(),
      expect(call).rejects.toMatchObject({ code: 'unavailable', message: 'the thread test was terminated' }),
    ]);
  });

  test('that cannot open rejects every waiting call with the reason', async () => {
    const thread = start('not to be opened');
    const why = { code: 'data_invalid', message: 'expected something to open' };
    const answers = await Promise.allSettled([thread.call('echo', 1), thread.call('echo', 2), thread.open()]);
    for (const each of answers) expect(each).toMatchObject({ status: 'rejected', reason: why });
  });

  test('whose file does not exist rejects calls with that reason', async () => {
    const missing = moduleBeside(import.meta.url, 'testing/nothing');
    const thread = new Thread<TestFunctions>({ file: missing, name: 'test', data: 1, failure: 'unavailable' });
    await expect(thread.call('echo', 1)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/Cannot find module/),
    });
  });

  test('finishes its calls before it closes, and rejects later calls', async () => {
    const thread = start();
    const call = thread.call('later', { ms: 50 });
    await thread.close();
    expect(await call).toBe(50);
    await expect(thread.call('echo', 1)).rejects.toMatchObject({ message: 'the thread test is closed' });
    await thread.close();
  });

  test('that was never started can be closed', async () => {
    const thread = start();
    await thread.close();
    await expect(thread.open()).rejects.toMatchObject({ code: 'unavailable', message: 'the thread test is closed' });
  });

  test('whose close fails reports the error and still exits', async () => {
    const thread = start('not to be closed');
    await thread.open();
    await expect(thread.close()).rejects.toMatchObject({ code: 'unavailable', message: 'something is still open' });
  });
});
