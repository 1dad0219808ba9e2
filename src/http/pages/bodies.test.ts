import { beforeEach, describe, expect, test } from 'vitest';
import { limits } from '../../base/index.ts';
import { PageBodies } from './bodies.ts';

let rendered: string[] = [];
let bodies: PageBodies;
beforeEach(() => {
  rendered = [];
  let count = 0;
  bodies = new PageBodies(() => rendered.push(`${++count}`));
});

/** Yields chunks of `length` bytes. */
async function* bytes(...lengths: readonly number[]): AsyncGenerator<Uint8Array, void> {
  for (const length of lengths) yield new Uint8Array(length);
}

const get = (key: string, revision: number, make: () => AsyncIterable<Uint8Array> = () => bytes(1)) =>
  bodies.get({ key, revision, make });

describe('a body', () => {
  test('has all chunks and their length', async () => {
    expect(await get('a', 1, () => bytes(3, 4))).toMatchObject({ kind: 'whole', length: 7 });
    expect(bodies.bytes).toBe(7);
  });

  test('is rendered once for callers that ask at the same time and later', async () => {
    const gate = Promise.withResolvers<void>();
    const make = async function* () {
      await gate.promise;
      yield new Uint8Array(5);
    };
    const crowd = Array.from({ length: 20 }, () => get('a', 1, make));
    gate.resolve();
    const [first, ...others] = await Promise.all([...crowd, get('a', 1)]);
    expect(others.every((other) => other === first)).toBe(true);
    expect(await get('a', 1)).toBe(first);
    expect(rendered).toEqual(['1']);
  });

  test('is rendered again for another revision, and replaces that of the last one', async () => {
    await get('a', 1, () => bytes(10));
    await get('a', 2, () => bytes(20));
    expect([rendered.length, bodies.bytes]).toEqual([2, 20]);
    await get('a', 2);
    expect(rendered).toHaveLength(2);
  });

  test('that cannot be rendered is an error for all callers, and is not kept', async () => {
    const broken = async function* (): AsyncGenerator<Uint8Array, void> {
      yield new Uint8Array(1);
      throw new Error('broken');
    };
    const failures = await Promise.allSettled([get('a', 1, broken), get('a', 1, broken)]);
    expect(failures.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await get('a', 1, () => bytes(2))).toMatchObject({ length: 2 });
  });
});

describe('limits', () => {
  test('a body that is too large is abandoned, which is remembered', async () => {
    let taken = 0;
    const make = async function* () {
      for (;;) {
        taken++;
        yield new Uint8Array(1024 * 1024);
      }
    };
    expect(await get('a', 1, make)).toBe('large');
    expect(await get('a', 1, make)).toBe('large');
    expect(taken).toBe(limits.pageBodyBytesMax / (1024 * 1024) + 1);
    expect(bodies.bytes).toBe(0);
    expect(await get('a', 2)).toMatchObject({ length: 1 });
  });

  test('bodies are rendered one at a time', async () => {
    let [running, most] = [0, 0];
    const make = async function* () {
      most = Math.max(most, ++running);
      for (let step = 0; step < 5; step++) {
        await new Promise((resolve) => setImmediate(resolve));
        yield new Uint8Array(1);
      }
      running--;
    };
    await Promise.all(['a', 'b', 'c', 'd'].map((key) => get(key, 1, make)));
    expect([most, rendered.length]).toEqual([1, 4]);
  });

  test('too many renderings that wait are rejected, and those before them are answered', async () => {
    const all = Array.from({ length: limits.pageRenderingsWaitingMax + 3 }, (_, at) => get(`${at}`, 1));
    const outcomes = await Promise.allSettled(all);
    const rejected = outcomes.filter(({ status }) => status === 'rejected');
    expect(rejected).toHaveLength(2);
    expect(rejected[0]).toMatchObject({ reason: { code: 'unavailable' } });
  });

  test('the bytes of all bodies are limited: the least recently used are removed', async () => {
    const large = limits.pageBodyBytesMax;
    const count = limits.pageBodiesBytesMax / large;
    for (let at = 0; at < count; at++) await get(`${at}`, 1, () => bytes(large));
    await get('0', 1);
    await get('one more', 1, () => bytes(large));
    expect(bodies.bytes).toBe(limits.pageBodiesBytesMax);
    const before = rendered.length;
    await get('0', 1);
    expect(rendered).toHaveLength(before);
    await get('1', 1, () => bytes(large));
    expect(rendered).toHaveLength(before + 1);
  });

  test('the number of bodies is limited', async () => {
    for (let at = 0; at < limits.pageBodiesMax * 2; at++) await get(`${at}`, 1);
    expect(bodies.bytes).toBe(limits.pageBodiesMax);
  });
});
