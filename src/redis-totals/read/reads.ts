import { limits } from '../../base/index.ts';
import { checkSize } from '../../usage/index.ts';
import type { RedisCommand, RedisLink, RedisReply } from '../../redis-link/index.ts';
import { listOf, textOf } from '../reply.ts';
import type { Deadline } from './deadline.ts';

/** The commands that read a kind of collection: its size, all elements, or a slice. */
interface Collection {
  readonly size: string;
  readonly all: string;
  readonly slice: string;
  /** The name of its elements in messages. */
  readonly elements: string;
  /** Replies per element: a field and its value, or a member. */
  readonly width: 1 | 2;
}

const hash: Collection = {
  size: 'HLEN',
  all: 'HGETALL',
  slice: 'HSCAN',
  elements: 'cells of a day or month',
  width: 2,
};
const set: Collection = { size: 'SCARD', all: 'SMEMBERS', slice: 'SSCAN', elements: 'names', width: 1 };

/**
 * The reads of one query: small steps that block Redis only briefly, a few of them in flight at a time. Checks the
 * deadline before each step. All methods reject with the link's errors, with `query_deadline`, with `query_too_large`,
 * and with `store_invalid` for an unexpected reply.
 */
export class Reads {
  readonly #link: Pick<RedisLink, 'pipeline'>;
  readonly #deadline: Deadline;

  constructor(link: Pick<RedisLink, 'pipeline'>, deadline: Deadline) {
    this.#link = link;
    this.#deadline = deadline;
  }

  /** Sends a few small commands in one pipeline. Returns their replies in order. */
  commands(commands: readonly RedisCommand[]): Promise<readonly RedisReply[]> {
    this.#deadline.check();
    return this.#link.pipeline(commands);
  }

  /** The members of sets, in the order of the keys. A missing set has none. */
  async members(keys: readonly string[]): Promise<readonly (readonly string[])[]> {
    const found: (readonly string[])[] = keys.map(() => []);
    await this.#collections(set, keys, (index, members) => (found[index] = members.map(textOf)));
    return found;
  }

  /** Calls `each` for every existing hash, with the index of its key and its content: field, value, field, value... */
  hashes(keys: readonly string[], each: (index: number, pairs: readonly RedisReply[]) => void): Promise<void> {
    return this.#collections(hash, keys, each);
  }

  /** The values of fields of one hash, in the order of the fields; `null` for a missing field. */
  async values(key: string, fields: readonly string[]): Promise<readonly RedisReply[]> {
    const values: RedisReply[] = Array.from({ length: fields.length }, () => null);
    const starts = chunksOf(fields, () => 1).map(({ start }) => start);
    await this.#inFlight(starts, async (start) => {
      const slice = fields.slice(start, start + limits.redisReadFieldsMax);
      const [reply] = await this.commands([{ key, args: ['HMGET', key, ...slice] }]);
      for (const [index, value] of listOf(reply).entries()) values[start + index] = value;
    });
    return values;
  }

  async #collections(
    kind: Collection,
    keys: readonly string[],
    each: (index: number, elements: readonly RedisReply[]) => void,
  ): Promise<void> {
    if (keys.length === 0) return;
    const sizes = await this.#sizes(kind, keys);
    for (const size of sizes) checkSize(size, kind.elements);
    const isLarge = (index: number): boolean => (sizes[index] ?? 0) > limits.redisReadFieldsMax;
    const present = keys.map((key, index) => ({ key, index })).filter(({ index }) => (sizes[index] ?? 0) > 0);
    const small = present.filter(({ index }) => !isLarge(index));
    await this.#inFlight(
      chunksOf(small, ({ index }) => sizes[index] ?? 0),
      async ({ items }) => {
        const replies = await this.commands(items.map(({ key }) => ({ key, args: [kind.all, key] })));
        for (const [position, { index }] of items.entries()) each(index, listOf(replies[position]));
      },
    );
    const large = present.filter(({ index }) => isLarge(index));
    await this.#inFlight(large, async ({ key, index }) => each(index, await this.#slices(kind, key)));
  }

  async #sizes(kind: Collection, keys: readonly string[]): Promise<readonly number[]> {
    const sizes: number[] = [];
    for (const { items } of chunksOf(keys, () => 1)) {
      const replies = await this.commands(items.map((key) => ({ key, args: [kind.size, key] })));
      sizes.push(...replies.map(Number));
    }
    return sizes;
  }

  /** Reads a large collection with a cursor. The cursor may return an element twice, so duplicates are removed. */
  async #slices({ slice, width }: Collection, key: string): Promise<readonly RedisReply[]> {
    const found = new Map<RedisReply, RedisReply>();
    let cursor = '0';
    do {
      const args = [slice, key, cursor, 'COUNT', String(limits.redisScanCount)];
      const [reply] = await this.commands([{ key, args }]);
      const [next, elements] = listOf(reply);
      const list = listOf(elements);
      for (let at = 0; at < list.length; at += width) found.set(list[at] ?? null, list[at + 1] ?? null);
      cursor = textOf(next);
    } while (cursor !== '0');
    return width === 1 ? [...found.keys()] : [...found].flat();
  }

  /** Runs the steps, a few at a time. Rejects when the first of them fails. */
  async #inFlight<T>(steps: readonly T[], work: (step: T) => Promise<void>): Promise<void> {
    const queue = steps.values();
    const workers = Array.from({ length: limits.redisReadsInFlightMax }, async () => {
      for (const step of queue) await work(step);
    });
    await Promise.all(workers);
  }
}

/** Splits a list into pieces of at most `limits.redisReadFieldsMax` fields, but at least one element. */
function chunksOf<T>(
  items: readonly T[],
  sizeOf: (item: T) => number,
): readonly { readonly start: number; readonly items: readonly T[] }[] {
  const chunks: { start: number; items: T[]; size: number }[] = [];
  for (const [index, item] of items.entries()) {
    const size = sizeOf(item);
    const last = chunks.at(-1);
    if (last && last.size + size <= limits.redisReadFieldsMax) {
      last.items.push(item);
      last.size += size;
    } else {
      chunks.push({ start: index, items: [item], size });
    }
  }
  return chunks;
}
