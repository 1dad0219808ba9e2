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
  await Promise.all(started.splice(0).map((thread) => thread.abandon()));
  lines.length = 0;
});

describe('a thread', () => {
  test('answers questions that come together, each with its own answer', async () => {
    const thread = start();
    const inputs = [1, 'two', null, [3n, { four: new Date(4) }], new Map([[5, undefined]])];
    expect(await Promise.all(inputs.map((input) => thread.ask('echo', input)))).toEqual(inputs);
  });

  test('is not held up by a question that takes long', async () => {
    const thread = start();
    const order: number[] = [];
    await Promise.all([300, 1].map(async (ms) => order.push(await thread.ask('later', { ms }))));
    expect(order).toEqual([1, 300]);
  });

  test('tells its errors: their own code, or the one for all others', async () => {
    const thread = start();
    await expect(thread.ask('fail', { own: true })).rejects.toMatchObject({
      name: 'TonnageError',
      code: 'query_deadline',
      message: 'too late',
    });
    await expect(thread.ask('fail', { own: false })).rejects.toMatchObject({
      code: 'unavailable',
      message: 'a mistake',
    });
    await expect(thread.ask('failLater', undefined)).rejects.toMatchObject({ code: 'query_too_large' });
    await expect(thread.ask('unclonable', undefined)).rejects.toThrow(/could not be cloned/);
    await expect(thread.ask('echo', () => undefined)).rejects.toThrow(/could not be cloned/);
    expect(await thread.ask('echo', 'well')).toBe('well');
  });

  test('takes buffers over', async () => {
    const bytes = new Uint8Array(1000);
    expect(await start().ask('bytes', bytes, [bytes.buffer])).toBe(1000);
    expect(bytes.byteLength).toBe(0);
  });

  test('logs where the process logs, in order with its answers', async () => {
    await start().ask('log', { fields: { day: 1n, list: ['a'] } });
    expect(lines).toEqual([['warn', { day: 1n, list: ['a'] }, 'from the thread']]);
  });

  test('that died rejects what it owed, and is there again for the next question', async () => {
    const thread = start();
    const owed = [thread.ask('later', { ms: 60_000 }), thread.ask('exit', undefined)];
    const ended = { code: 'unavailable', message: 'the thread test has ended' };
    for (const each of await Promise.allSettled(owed))
      expect(each).toMatchObject({ status: 'rejected', reason: ended });
    expect(await thread.ask('echo', 'again')).toBe('again');
  });

  test('that is given up rejects what it owed', async () => {
    const thread = start();
    const owed = thread.ask('later', { ms: 60_000 });
    await Promise.all([
      thread.abandon(),
      expect(owed).rejects.toMatchObject({ code: 'unavailable', message: 'the thread test was ended' }),
    ]);
  });

  test('that cannot open says why, to everybody who asks', async () => {
    const thread = start('not to be opened');
    const why = { code: 'data_invalid', message: 'expected something to open' };
    const answers = await Promise.allSettled([thread.ask('echo', 1), thread.ask('echo', 2), thread.open()]);
    for (const each of answers) expect(each).toMatchObject({ status: 'rejected', reason: why });
  });

  test('whose file is not there says so', async () => {
    const missing = moduleBeside(import.meta.url, 'testing/nothing');
    const thread = new Thread<TestFunctions>({ file: missing, name: 'test', data: 1, failure: 'unavailable' });
    await expect(thread.ask('echo', 1)).rejects.toMatchObject({ code: 'unavailable', message: /Cannot find module/ });
  });

  test('finishes what it was asked before it closes, and takes nothing afterwards', async () => {
    const thread = start();
    const asked = thread.ask('later', { ms: 50 });
    await thread.close();
    expect(await asked).toBe(50);
    await expect(thread.ask('echo', 1)).rejects.toMatchObject({ message: 'the thread test is closed' });
    await thread.close();
  });

  test('that was never started has nothing to close', async () => {
    const thread = start();
    await thread.close();
    await expect(thread.open()).rejects.toMatchObject({ code: 'unavailable', message: 'the thread test is closed' });
  });

  test('that cannot close says so, and ends all the same', async () => {
    const thread = start('not to be closed');
    await thread.open();
    await expect(thread.close()).rejects.toMatchObject({ code: 'unavailable', message: 'something is still open' });
  });
});
