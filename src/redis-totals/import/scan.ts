import { limits, TonnageError } from '../../base/index.ts';
import { foreignDaysKey, indexKey, waveHash } from '../layout.ts';
import type { RedisCommand, RedisLink } from '../../redis-link/index.ts';
import { listOf, textOf } from '../read/reads.ts';
import { namesOf, type SliceNames } from './slice.ts';

/** One slice of Wave's hash. */
export interface Slice {
  /** Where the next one begins; `0`: this was the last. */
  readonly cursor: string;
  /** How many fields it had. */
  readonly fields: number;
  readonly names: SliceNames;
  /** How many fields the hash has now. */
  readonly total: number;
}

/** Reads one slice of Wave's hash. A field that is there from the first slice to the last is in one of them at least. */
export async function readSlice(link: Pick<RedisLink, 'pipeline'>, cursor: string): Promise<Slice> {
  const [slice, total] = await link.pipeline([
    { key: waveHash, args: ['HSCAN', waveHash, cursor, 'COUNT', String(limits.redisScanCount)] },
    { key: waveHash, args: ['HLEN', waveHash] },
  ]);
  const [next, elements] = listOf(slice);
  const fields = listOf(elements)
    .filter((_, index) => index % 2 === 0)
    .map(textOf);
  return { cursor: textOf(next), fields: fields.length, names: namesOf(fields), total: Number(total) };
}

/**
 * Which process the hash is in. A cursor is a place in that process's own table: after a restart or a failover it would
 * pass fields over.
 *
 * @throws {TonnageError} `store_invalid` when Redis does not tell
 */
export async function serverOf(link: Pick<RedisLink, 'send'>): Promise<string> {
  const info = textOf(await link.send({ key: waveHash, args: ['INFO', 'server'] }));
  const [, id] = /^run_id:(\w+)/m.exec(info) ?? [];
  if (id === undefined)
    throw new TonnageError('store_invalid', 'INFO server of Redis: expected a line run_id, got none');
  return id;
}

/** Turns names into commands that add them to the index, each name once in its life. */
export class IndexCommands {
  readonly #known = new Set<string>();
  readonly #withForeignDays: boolean;

  /** `withForeignDays`: each day counts as one on which somebody else has counted, until it turns out otherwise. */
  constructor(withForeignDays: boolean) {
    this.#withForeignDays = withForeignDays;
  }

  of({ meters }: SliceNames): readonly RedisCommand[] {
    const commands: RedisCommand[] = [];
    for (const [meter, { orgs, archs, days }] of meters) {
      const sets = [
        [indexKey(meter, 'orgs'), orgs],
        [indexKey(meter, 'archs'), archs],
        [indexKey(meter, 'days'), days],
        [foreignDaysKey(meter), this.#withForeignDays ? days : []],
      ] as const;
      for (const [key, members] of sets) {
        const fresh = [...members].filter((member) => this.#isNew(`${key} ${member}`));
        if (fresh.length > 0) commands.push({ key, args: ['SADD', key, ...fresh] });
      }
    }
    return commands;
  }

  #isNew(name: string): boolean {
    if (this.#known.has(name)) return false;
    // To forget is harmless: a name is added again.
    if (this.#known.size >= limits.redisDecodedFieldsMax) this.#known.clear();
    this.#known.add(name);
    return true;
  }
}
