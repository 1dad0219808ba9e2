import { limits, TonnageError } from '../../base/index.ts';
import { checkSize } from '../../usage/index.ts';
import type { RedisCommand, RedisLink, RedisReply } from '../../redis-link/index.ts';
import type { Deadline } from './deadline.ts';

/** How a kind of collection is read: its size, all of it at once, or slice by slice. */
interface Collection {
  readonly size: string;
  readonly all: string;
  readonly slice: string;
  /** What its elements are called. */
  readonly elements: string;
  /** Replies that make one element: a field and its value, or a member. */
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
 * Reading for one query: in steps that hold Redis up for a moment each and of which a few are under way at a time, with
 * a look at the deadline between them. Rejects with the link's errors and with `query_deadline`.
 */
export class Reads {
  readonly #link: Pick<RedisLink, 'pipeline'>;
  readonly #deadline: Deadline;

  constructor(link: Pick<RedisLink, 'pipeline'>, deadline: Deadline) {
    this.#link = link;
    this.#deadline = deadline;
  }

  /** A few small commands, together. */
  commands(commands: readonly RedisCommand[]): Promise<readonly RedisReply[]> {
    this.#deadline.check();
    return this.#link.pipeline(commands);
  }

  /** The members of sets, in the order of the keys; none of one that does not exist. */
  async members(keys: readonly string[]): Promise<readonly (readonly string[])[]> {
    const found: (readonly string[])[] = keys.map(() => []);
    await this.#collections(set, keys, (index, members) => (found[index] = members.map(textOf)));
    return found;
  }

  /** Hashes as lists of field, value, field, value...; `each` is told the position of the key. Nothing for an empty one. */
  hashes(keys: readonly string[], each: (index: number, pairs: readonly RedisReply[]) => void): Promise<void> {
    return this.#collections(hash, keys, each);
  }

  /** The values of fields of one hash, in their order; `null` where there is none. */
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

  /** All of a large collection: a cursor may show an element twice, so each is kept once. */
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

  /** Does the steps, a few of them at a time; the first that fails ends it. */
  async #inFlight<T>(steps: readonly T[], work: (step: T) => Promise<void>): Promise<void> {
    const queue = steps.values();
    const workers = Array.from({ length: limits.redisReadsInFlightMax }, async () => {
      for (const step of queue) await work(step);
    });
    await Promise.all(workers);
  }
}

/** Cuts a list so that each piece has one element at least, and no more fields in all than one step may read. */
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

/** A reply that must be a list; what does not exist has none. */
export function listOf(reply: RedisReply | undefined): readonly RedisReply[] {
  if (typeof reply === 'object' && reply !== null) return reply;
  if (reply === null || reply === undefined) return [];
  throw unexpected('a list', reply);
}

/** A reply that must be a text. */
export function textOf(reply: RedisReply | undefined): string {
  if (typeof reply === 'string') return reply;
  throw unexpected('a text', reply);
}

function unexpected(expected: string, reply: RedisReply | undefined): TonnageError {
  return new TonnageError('store_invalid', `an answer of Redis: expected ${expected}, got ${typeof reply}`);
}
