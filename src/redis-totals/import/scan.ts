import { limits, TonnageError } from '../../base/index.ts';
import { foreignDaysKey, indexKey, waveHash } from '../layout.ts';
import type { RedisCommand, RedisLink } from '../../redis-link/index.ts';
import { listOf, textOf } from '../reply.ts';
import { namesOf, type SliceNames } from './slice.ts';

/** One slice of Wave's hash. */
export interface Slice {
  /** Where the next slice begins; `0` after the last one. */
  readonly cursor: string;
  /** The number of fields of this slice. */
  readonly fields: number;
  readonly names: SliceNames;
  /** The number of fields of the hash now. */
  readonly total: number;
}

/** Reads one slice of Wave's hash. At least one slice has each field that exists during the whole scan. */
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
 * The id of the Redis process that has the hash. A cursor is a position in that process's table, so after a restart or
 * a failover it would skip fields.
 *
 * @throws {TonnageError} `store_invalid` if Redis does not state the id
 */
export async function serverOf(link: Pick<RedisLink, 'send'>): Promise<string> {
  const info = textOf(await link.send({ key: waveHash, args: ['INFO', 'server'] }));
  const [, id] = /^run_id:(\w+)/m.exec(info) ?? [];
  if (id === undefined)
    throw new TonnageError('store_invalid', 'INFO server of Redis: expected a line run_id, got none');
  return id;
}

/** Makes the commands that add names to the index, and skips names that it has already added. */
export class IndexCommands {
  readonly #known = new Set<string>();
  readonly #withForeignDays: boolean;

  /** `withForeignDays`: add each day as foreign as well, until `markForeignDay` finds that it is not. */
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
    // Clearing is harmless: it only adds a name again.
    if (this.#known.size >= limits.redisDecodedFieldsMax) this.#known.clear();
    this.#known.add(name);
    return true;
  }
}
